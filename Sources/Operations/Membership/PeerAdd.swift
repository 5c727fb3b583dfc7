import ClusterModel

/// `peer.add`: a node becomes a learner, and a voter when it caught up.
package enum PeerAddOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: NodeName
        package var address: String
        package var learner: Bool?
        package init(name: NodeName, address: String, learner: Bool? = nil) {
            self.name = name
            self.address = address
            self.learner = learner
        }
    }

    package static let definition = OperationDefinition(
        name: "peer.add", summary: "add a node to the cluster",
        discussion: """
            Probes the address, adds a learner, waits until it caught up and makes it a voter. A known, unreachable name \
            with a new address is an address update.
            """,
        parameters: [
            ParameterDefinition(
                name: "name", kind: .nodeName, help: "name of the node", isRequired: true, position: 0, example: "node2"
            ),
            ParameterDefinition(
                name: "address", kind: .address, help: "its address; the port is raft.bind_port when left out",
                isRequired: true, position: 1, example: "10.0.1.2"),
            ParameterDefinition(name: "learner", kind: .flag, help: "it stays a learner"),
        ],
        risk: .reversible, scope: .leader,
        checks: ["peer.reachable", "node.unused", "peer.version", "no_operation_in_progress"],
        errorCodes: [.preconditionFailed, .foreignState, .noLeader, .timeout, .invalidRequest],
        examples: ["pgbastion peer add node2 10.0.1.2", "pgbastion peer add node3 10.0.1.3:8300 --learner"],
        aliases: ["add-node"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PeerOutput {
        let view = await context.gateway.view()
        guard let address = PeerAddress(input.address, defaultPort: view.defaultRaftPort) else {
            throw BastionError(
                .invalidRequest, "field \"address\": \"\(input.address.prefix(300))\" is not an address",
                hint: "write 10.0.1.2, 10.0.1.2:8300, [2001:db8::2]:8300 or a host name")
        }
        let learner = input.learner ?? false
        if context.dryRun { return try plan(input, address, view) }
        let reply = try await context.submit(
            .addPeer(name: input.name, host: address.host, port: address.port, learnerOnly: learner))
        return try await PeerOutput.following(
            reply, name: input.name, address: address.description, until: learner ? .learner : .voter, in: context)
    }

    private static func plan(
        _ input: Input, _ address: PeerAddress, _ view: ClusterView
    ) throws(BastionError) -> PeerOutput {
        let holder = view.peers.first { $0.name != input.name && $0.address == address.description }
        let checks = [
            view.checkQuorum(), view.checkIdle(),
            PlanCheck(
                "node.unused", holder == nil, or: "\(address) is the address of \"\(holder?.name.rawValue ?? "")\""),
        ]
        let steps =
            ["probe \(address)", "add \(input.name) as a learner"]
            + (input.learner == true ? [] : ["make it a voter when it caught up"])
        return PeerOutput(
            name: input.name, address: address.description, suffrage: .learner, matchIndex: nil, alreadySo: false,
            summary: "", operationID: nil,
            plan: try OperationPlan(operation: "peer add", checks: checks, steps: steps))
    }
}
