import ClusterModel
import ConfigFiles
import RaftIO

/// Asks other nodes who they are, from a node whose daemon does not run.
package struct MemberProbe: Sendable {
    package struct Address: Sendable, Hashable {
        /// What the state calls it.
        package var name: NodeName?
        package var host: String
        package var port: Int

        func isSamePlace(as other: Address) -> Bool { host == other.host && port == other.port }
        var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    package struct Answer: Sendable {
        package var address: Address
        /// nil: no answer.
        package var hello: PeerHello?

        package var name: String { hello?.nodeName.rawValue ?? address.name?.rawValue ?? address.description }
        package func belongs(to cluster: ClusterID?) -> Bool { cluster != nil && hello?.clusterID == cluster }
        package var hasLeader: Bool { hello?.properties[PeerDirectory.leaderProperty].map { !$0.isEmpty } ?? false }
    }

    let configuration: NodeConfiguration
    /// Long: a member that runs on a busy machine must not be taken for one that is off.
    var limit = Duration.seconds(5)

    /// All at once, in the order of `addresses`.
    package func ask(_ addresses: [Address]) async -> [Answer] {
        guard !addresses.isEmpty else { return [] }
        let check = BootstrapCheck(configuration: configuration)
        let transport = PeerTransport(settings: check.probeSettings, handlers: check.handlers)
        let limit = limit
        let hellos = await withTaskGroup(of: (Int, PeerHello?).self) { group in
            for (index, address) in addresses.enumerated() {
                group.addTask {
                    do throws(BastionError) {
                        return (index, try await transport.probe(host: address.host, port: address.port, timeout: limit))
                    } catch {
                        return (index, nil)
                    }
                }
            }
            var found: [Int: PeerHello] = [:]
            for await (index, hello) in group { found[index] = hello }
            return found
        }
        await transport.stop()
        return addresses.enumerated().map { Answer(address: $1, hello: hellos[$0]) }
    }
}
