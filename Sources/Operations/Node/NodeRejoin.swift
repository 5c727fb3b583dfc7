import ClusterModel

/// `node.rejoin`: the leader's side of getting a lost node back.
package enum NodeRejoinOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: NodeName
        package var address: String?
        package init(name: NodeName, address: String? = nil) {
            self.name = name
            self.address = address
        }
    }

    package static let definition = OperationDefinition(
        name: "node.rejoin", summary: "get a lost node back into the cluster",
        discussion: """
            After its machine or its Raft directory was lost: the stale entry is dropped or its address updated, then the node \
            is added as by `peer add`. PostgreSQL data that still fits is used. A healthy voter at that address is left alone.
            """,
        parameters: [
            ParameterDefinition(
                name: "name", kind: .nodeName, help: "name of the node", isRequired: true, position: 0, example: "node3"),
            ParameterDefinition(
                name: "address", kind: .address, help: "its address; default is the one it had", position: 1, example: "10.0.1.3"),
        ],
        risk: .reversible, scope: .leader, checks: ["peer.reachable", "node.unused"],
        errorCodes: [.preconditionFailed, .foreignState, .removed, .notFound, .noLeader, .timeout, .invalidRequest],
        examples: ["pgbastion node rejoin node3 10.0.1.3", "pgbastion rejoin node3"], aliases: ["rejoin"])

    /// Limit: a wiped node that came back at once is waited for until its former life counts as silent.
    private static let staleContact = 20

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PeerOutput {
        let view = await context.gateway.view()
        let address = try address(input, view)
        if context.dryRun { return try plan(input.name, address, view) }
        let reply = try await submit(.addPeer(name: input.name, host: address.host, port: address.port, learnerOnly: false), in: context)
        var output = try await PeerOutput.following(
            reply, name: input.name, address: address.description, until: .voter, in: context)
        if reply.alreadySo { output.summary = "already a member" }
        return output
    }

    private static func submit(_ request: ClusterRequest, in context: OperationContext) async throws(BastionError) -> ClusterReply {
        for _ in 0..<staleContact {
            do throws(BastionError) { return try await context.submit(request) } catch {
                guard error.checks.first?.id == "node.unused" else { throw withWayOut(error) }
            }
            do { try await ContinuousClock().sleep(for: .milliseconds(250)) } catch { break }
        }
        return try await context.submit(request)
    }

    /// Without a leader nobody can be taken back; when the quorum is lost for good that is the way.
    private static func withWayOut(_ error: BastionError) -> BastionError {
        guard error.code == .noLeader else { return error }
        var hinted = error
        hinted.hint =
            "start the other nodes; when a majority is lost for good: `pgbastion raft recover` on what is left, "
            + "or `pgbastion restore latest --bootstrap`"
        return hinted
    }

    private static func address(_ input: Input, _ view: ClusterView) throws(BastionError) -> PeerAddress {
        guard let text = input.address ?? view.peer(named: input.name)?.address else {
            throw BastionError(
                .notFound, "node \"\(input.name)\" is not a member, so its address is not known",
                hint: "give it: `pgbastion node rejoin \(input.name) ADDR`")
        }
        guard let address = PeerAddress(text, defaultPort: view.defaultRaftPort) else {
            throw BastionError(
                .invalidRequest, "field \"address\": \"\(text.prefix(300))\" is not an address",
                hint: "write 10.0.1.2, 10.0.1.2:8300, [2001:db8::2]:8300 or a host name")
        }
        return address
    }

    private static func plan(_ name: NodeName, _ address: PeerAddress, _ view: ClusterView) throws(BastionError) -> PeerOutput {
        let known = view.peer(named: name)
        let isMember = known.map { $0.reachable && $0.address == address.description } ?? false
        let steps =
            isMember
            ? ["nothing if \(name) still has its state: it is a member"]
            : [
                "probe \(address)",
                known == nil ? "add \(name) as a learner" : "replace the stale entry of \(name) and add it as a learner",
                "make it a voter when it caught up",
            ]
        return PeerOutput(
            name: name, address: address.description, suffrage: known?.suffrage ?? .learner, matchIndex: nil, alreadySo: isMember,
            summary: "", operationID: nil,
            plan: try OperationPlan(operation: "rejoin", checks: [view.checkQuorum(), view.checkIdle()], steps: steps))
    }
}
