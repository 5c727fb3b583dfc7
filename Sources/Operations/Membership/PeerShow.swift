import ClusterModel

/// `peer.show`: one member of Raft in full.
package enum PeerShowOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: NodeName
    }

    package static let definition = OperationDefinition(
        name: "peer.show", summary: "show one member of the cluster",
        parameters: [
            ParameterDefinition(
                name: "name", kind: .nodeName, help: "name of the node", isRequired: true, position: 0, example: "node2")
        ],
        errorCodes: [.notFound], examples: ["pgbastion peer show node2"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> PeerListOperation.Output.Peer {
        let view = await context.gateway.view()
        return PeerListOperation.Output.Peer(try view.requirePeer(input.name), in: view)
    }
}

extension PeerListOperation.Output.Peer: OperationOutput {
    package var text: String {
        var table = TextTable("FIELD", "VALUE")
        table.add("name", name.rawValue)
        table.add("address", address)
        table.add("suffrage", isLeader ? "leader" : suffrage.rawValue)
        table.add("reachable", reachable ? "yes" : "no")
        table.add("contact", isLeader ? "-" : lastContactMs.map { "\($0)ms" } ?? "-")
        table.add("match index", matchIndex.orDash)
        table.add("behind", lagEntries.orDash)
        table.add("version", version.orDash)
        return table.text
    }
    package var names: [String] { [name.rawValue] }
}
