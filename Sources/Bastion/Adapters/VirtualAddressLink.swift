import ClusterModel
import ConfigFiles
import Guard
import NodeCore
import VirtualIP

/// The keeper of the virtual address, wired to the core.
enum VirtualAddressLink {
    /// nil: no virtual address is configured.
    static func make(
        _ configuration: NodeConfiguration, submit: @escaping @Sendable (NodeInput) -> Void, metrics: NodeMetrics
    ) -> AddressKeeper? {
        guard let vip = configuration.vip else { return nil }
        let settings = AddressKeeperSettings(
            address: vip.address.bytes, prefixLength: vip.prefixLength, interface: vip.interface,
            renewInterval: vip.renewInterval, adoptsLeftOver: vip.follows == .primary)
        return AddressKeeper(
            settings: settings, clock: { SystemClock.now() },
            onStatus: { status in
                metrics.noteAddress(holds: status.holds)
                submit(.addressReported(status))
            })
    }

    /// `vip reassert`.
    ///
    /// - Throws: `preconditionFailed` (`vip.owner`) when this node does not have the address.
    static func announceAgain(_ keeper: AddressKeeper?, _ view: ClusterView) throws(BastionError) -> String {
        guard let keeper, let own = view.virtualAddress, own.holds else {
            throw BastionError(
                .preconditionFailed, "refused: \"\(view.node)\" does not have the virtual IP",
                detail: "check vip.owner. Nothing was changed", hint: "see `pgbastion vip status`",
                checks: [FailedCheck(id: "vip.owner", actual: view.vipReason ?? "not the owner")])
        }
        keeper.announceAgain()
        return "\(view.node) announces \(own.address) again"
    }

    /// PostgreSQL and the guard get none of this process's rights. Before any other thread exists: rights belong to threads.
    static func keepCapabilitiesPrivate() { AddressCapabilities.keepPrivate() }
}

extension NodeConfiguration {
    var virtualAddressSettings: VirtualAddressSettings? {
        vip.map {
            VirtualAddressSettings(
                address: "\($0.address)/\($0.prefixLength)", interface: $0.interface,
                follows: $0.follows == .leader ? .leader : .primary)
        }
    }
}
