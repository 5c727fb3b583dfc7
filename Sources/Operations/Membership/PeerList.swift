import ClusterModel

/// `peer.list`: the members of Raft.
package enum PeerListOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package struct Peer: Codable, Sendable {
            package var name: NodeName
            package var address: String
            package var suffrage: PeerView.Suffrage
            package var isLeader: Bool
            package var reachable: Bool
            @Nullable package var lastContactMs: Int64?
            @Nullable package var matchIndex: UInt64?
            @Nullable package var matchIndexReason: String?
            @Nullable package var lagEntries: UInt64?
            @Nullable package var version: String?
        }
        package var peers: [Peer]

        package var text: String {
            var table = TextTable("NODE", "ADDRESS", "SUFFRAGE", "REACHABLE", "CONTACT", "BEHIND", "VERSION")
            for peer in peers {
                table.add(
                    peer.name.rawValue, peer.address, peer.isLeader ? "leader" : peer.suffrage.rawValue,
                    peer.reachable ? "yes" : "no",
                    peer.isLeader ? "-" : peer.lastContactMs.map { "\($0)ms" } ?? "-", peer.lagEntries.orDash,
                    peer.version.orDash)
            }
            return table.text
        }
        package var names: [String] { peers.map(\.name.rawValue) }
    }

    package static let definition = OperationDefinition(
        name: "peer.list", summary: "list the members of the cluster",
        examples: ["pgbastion peer list", "pgbastion peers"], aliases: ["peers"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        return Output(peers: view.peers.map { Output.Peer($0, in: view) })
    }
}

extension PeerListOperation.Output.Peer {
    init(_ peer: PeerView, in view: ClusterView) {
        let last = view.raft.lastLogIndex
        self.init(
            name: peer.name, address: peer.address, suffrage: peer.suffrage, isLeader: peer.isLeader,
            reachable: peer.reachable, lastContactMs: peer.lastContactMilliseconds, matchIndex: peer.matchIndex,
            matchIndexReason: peer.matchIndex == nil ? "only the leader knows it" : nil,
            lagEntries: peer.isLeader ? 0 : peer.matchIndex.map { last > $0 ? last - $0 : 0 }, version: peer.version)
    }
}
