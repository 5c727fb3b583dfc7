import ClusterModel

/// `vip.status`: the virtual IP address, who has it, and why this node has it not (VI4).
package enum VIPStatusOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package static let definition = OperationDefinition(
        name: "vip.status", summary: "show the virtual IP: owner, rule, interface and why it is not here",
        discussion: """
            With `vip.follows: leader` the owner is the node that leads, with `primary` the node that has the primary lease. \
            REASON, HOLDS and CAPABILITY are those of the node that answers.
            """,
        examples: ["pgbastion vip status", "pgbastion vip -o json"], aliases: ["vip"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> VIPOutput {
        VIPOutput(await context.gateway.view())
    }
}

/// The virtual address as one node sees it.
package struct VIPOutput: OperationOutput {
    /// nil: none is configured.
    @Nullable package var address: String?
    @Nullable package var interface: String?
    @Nullable package var follows: VirtualAddressRule?
    @Nullable package var owner: NodeName?
    /// The node that answers has it.
    package var holds: Bool
    @Nullable package var reason: String?
    /// The node that answers may add and announce addresses.
    package var capability: Bool
    @Nullable package var duplicateMac: String?
    package var node: NodeName
    /// Only in the answer to `vip.reassert`.
    package var summary: String?
    @Nullable package var plan: OperationPlan?
    /// Which of CAP_NET_ADMIN and CAP_NET_RAW the node that answers lacks.
    package var missingCapabilities: [String]

    package init(_ view: ClusterView) {
        let own = view.virtualAddress
        let known =
            own ?? view.nodes.first { $0.name == view.vipOwner }?.virtualAddress ?? view.nodes.lazy.compactMap(\.virtualAddress).first
        address = known?.address
        interface = known?.interface
        follows = known?.follows
        owner = view.vipOwner
        holds = own?.holds ?? false
        reason = view.vipReason ?? own?.reason ?? (own == nil ? "no virtual IP is configured on \(view.node)" : nil)
        missingCapabilities = own?.missingCapabilities ?? []
        capability = own != nil && missingCapabilities.isEmpty
        duplicateMac = own?.duplicateMAC ?? view.nodes.first { $0.name == view.vipOwner }?.virtualAddress?.duplicateMAC
        node = view.node
    }

    package var text: String {
        if let plan { return plan.text }
        guard let address else { return "no virtual IP is configured on \(node)" }
        var table = TextTable("FIELD", "VALUE")
        table.add("address", address)
        table.add("interface", interface.orDash)
        table.add("follows", follows?.rawValue ?? "-")
        table.add("owner", owner?.rawValue ?? "none")
        table.add("holds", "\(holds ? "yes" : "no") (\(node))")
        table.add("reason", reason.orDash)
        table.add(
            "capability", capability ? "yes" : missingCapabilities.isEmpty ? "no" : "missing \(missingCapabilities.joined(separator: ", "))"
        )
        table.add("duplicate mac", duplicateMac.orDash)
        return summary.map { "\($0)\n\(table.text)" } ?? table.text
    }
    package var names: [String] { owner.map { [$0.rawValue] } ?? [] }
    package var warnings: [String] {
        duplicateMac.map { ["\($0) answers for \(address ?? "the virtual IP") as well"] } ?? []
    }
}
