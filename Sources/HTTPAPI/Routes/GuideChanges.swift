import ClusterModel
import Operations

/// The changes of the operations guide (E03, E04, E06, E12 to E16).
enum GuideChanges {
    static let routes: [Route] = [
        .post("/raft/add-peer", about: Abouts.addPeer) { call throws(BastionError) in try await addPeer(call) },
        .post("/raft/remove-peer", about: Abouts.removePeer) { call throws(BastionError) in try await removePeer(call) },
        .post("/raft/transfer-leadership", about: Abouts.transfer) { call throws(BastionError) in
            try await transfer(call)
        },
        .post("/cluster/failover", about: Abouts.failover) { call throws(BastionError) in try await failover(call) },
        .post("/cluster/switchover", about: Abouts.switchover) { call throws(BastionError) in
            try await switchover(call)
        },
        .post("/cluster/pause", about: Abouts.pause) { call throws(BastionError) in try await pause(call) },
        .post("/cluster/resume", about: Abouts.resume) { call throws(BastionError) in try await resume(call) },
        .post("/cluster/reinitialize", about: Abouts.reinitialize) { call throws(BastionError) in
            try await reinitialize(call)
        },
    ]

    /// E03: 200 once it is committed as a learner; `?wait=60s` waits for the voter.
    private static func addPeer(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.AddPeer.self, call, Abouts.addPeer)
        let output = try await PeerAddOperation.perform(
            .init(name: body.id, address: body.address, learner: body.learner),
            in: try call.context(waitLimit: try call.waitLimit()))
        return try .json(
            PeerAddedShape(
                status: "peer added", operationID: output.operationID, id: output.name, address: output.address,
                suffrage: output.suffrage, alreadySo: output.alreadySo))
    }

    private static func removePeer(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.RemovePeer.self, call, Abouts.removePeer)
        try call.require(PeerRemoveOperation.definition, given: body.force == true ? ["force"] : [])
        let output = try await PeerRemoveOperation.perform(
            .init(name: body.id, force: body.force), in: try call.context(waitLimit: try call.waitLimit()))
        return try .json(
            PeerRemovedShape(
                status: "peer removed", operationID: output.operationID, id: output.name, voters: output.voters,
                droppedSlots: output.droppedSlots))
    }

    /// E06: answered when another node leads. Without a field it must reach the leader itself.
    private static func transfer(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.Transfer.self, call, Abouts.transfer)
        if let from = body.from, let leader = await call.gateway.view().raft.leader, leader != from {
            throw BastionError(.preconditionFailed, "\"\(from)\" does not lead, \"\(leader)\" does")
        }
        let isNamed = body.to != nil || body.from != nil
        let context = try call.context(
            waitLimit: try call.waitLimit() ?? .seconds(10), forward: call.forward && isNamed)
        let output = try await RaftTransferOperation.perform(.init(node: body.to), in: context)
        return try .json(
            LeadershipShape(
                status: "leadership transferred", leaderID: output.to?.rawValue ?? "", term: output.term,
                vipMoved: output.vipMoved))
    }

    private static func failover(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.Failover.self, call, Abouts.failover)
        try call.require(FailoverOperation.definition, given: body.allowDataLoss == nil ? [] : ["allow_data_loss"])
        let output = try await FailoverOperation.perform(
            .init(to: body.to, allowDataLoss: body.allowDataLoss),
            in: try call.context(waitLimit: try call.waitLimit()))
        return try roleChange("failover", output)
    }

    private static func switchover(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.Switchover.self, call, Abouts.switchover)
        let output = try await SwitchoverOperation.perform(
            .init(to: body.to, maxLag: body.maxLag),
            in: try call.context(waitLimit: try call.waitLimit()))
        return try roleChange("switchover", output)
    }

    private static func roleChange(_ name: String, _ output: RoleChangeOutput) throws(BastionError) -> APIResponse {
        if output.finished {
            return try .json(
                FinishedShape(status: "\(name) succeeded", operationID: output.operationID, result: output))
        }
        return try .json(
            StartedShape(
                status: output.alreadySo ? "nothing to do" : "\(name) initiated", operationID: output.operationID,
                summary: output.summary, alreadySo: output.alreadySo),
            status: output.alreadySo ? 200 : 202)
    }

    private static func pause(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.Pause.self, call, Abouts.pause)
        let output = try await PauseOperation.perform(
            .init(for: body.for, reason: body.reason), in: try call.context(waitLimit: try call.waitLimit()))
        return try paused("automatic failover paused", output)
    }

    private static func resume(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        _ = try GuideBodies.read(GuideBodies.Nothing.self, call, Abouts.resume)
        let output = try await ResumeOperation.perform(
            .init(), in: try call.context(waitLimit: try call.waitLimit()))
        return try paused("automatic failover resumed", output)
    }

    private static func paused(_ status: String, _ output: PauseOutput) throws(BastionError) -> APIResponse {
        try .json(
            PausedShape(
                status: status, paused: output.active, since: output.since, until: output.until, reason: output.reason,
                by: output.by, alreadySo: output.alreadySo))
    }

    /// E16: without `node` the receiving node.
    private static func reinitialize(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let body = try GuideBodies.read(GuideBodies.Reinitialize.self, call, Abouts.reinitialize)
        let own = await call.gateway.view().node
        let limit = try call.waitLimit()
        let output = try await NodeReinitOperation.perform(
            .init(node: body.node ?? own, from: body.from, method: body.method),
            in: try call.context(waitLimit: limit))
        if limit != nil, output.operationID != nil {
            return try .json(
                FinishedShape(
                    status: "reinitialization succeeded", operationID: output.operationID, result: output))
        }
        return try .json(
            StartedShape(
                status: output.alreadySo ? "nothing to do" : "reinitialization started",
                operationID: output.operationID, summary: output.summary, alreadySo: output.alreadySo),
            status: output.alreadySo ? 200 : 202)
    }
}
