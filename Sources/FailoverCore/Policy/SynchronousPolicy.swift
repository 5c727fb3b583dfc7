import ClusterModel

/// Which replicas a commit waits for (SE7, SE8).
package enum SynchronousPolicy {
    /// The next change of the rule in force, or nil when it is as it should be.
    ///
    /// - Parameters:
    ///   - reports: Of every node, with the instant they arrived.
    ///   - lostSince: When a member was first seen not streaming; the caller keeps it.
    package static func change(
        state: ClusterState, reports: [NodeName: TimedReport], lostSince: [NodeName: ClockStamp],
        settings: PolicySettings, now: ClockStamp
    ) -> ClusterCommand? {
        guard let cluster = state.cluster, let primary = state.primary, primary.phase == .serving,
            state.synchronous.isSettled, let current = state.synchronous.current
        else { return nil }
        let streaming = streamingNodes(state: state, cluster: cluster, reports: reports, primary: primary, settings, now)
        let mode = wantedMode(state: state, streaming: streaming)
        let members = wantedMembers(current: current, streaming: streaming, lostSince: lostSince, state, settings, now)
        let required = mode == .off ? 0 : min(state.synchronous.wanted, members.count)
        let rule = AckRule(
            token: primary.token, primary: current.primary, members: mode == .off ? [] : members, required: required)
        guard rule != current || mode != state.synchronous.mode else { return nil }
        // D20: strict waits for as many as were asked for; fewer would be refused.
        if mode == .strict && required < state.synchronous.wanted { return nil }
        return .beginSyncChange(
            token: primary.token, generation: state.synchronous.generation + 1, mode: mode, rule: rule)
    }

    /// `quorum` once two replicas are ready, unless the operator said otherwise; once on, it stays on and degrades.
    private static func wantedMode(state: ClusterState, streaming: Set<NodeName>) -> SynchronousMode {
        if let configured = state.synchronous.configured { return configured }
        if state.synchronous.mode != .off { return state.dataNodes.count >= 3 ? state.synchronous.mode : .off }
        return streaming.count >= 2 ? .quorum : .off
    }

    private static func wantedMembers(
        current: AckRule, streaming: Set<NodeName>, lostSince: [NodeName: ClockStamp], _ state: ClusterState,
        _ settings: PolicySettings, _ now: ClockStamp
    ) -> [AckRule.Member] {
        let keeps = current.members.filter { member in
            guard let node = state.nodes[member.node], node.dataID == member.dataID, node.standing == .ready else {
                return false
            }
            guard let since = lostSince[member.node] else { return true }
            return now.since(since) < settings.degradeAfter
        }
        let added = streaming.sorted().compactMap { name -> AckRule.Member? in
            guard !keeps.contains(where: { $0.node == name }), let node = state.nodes[name] else { return nil }
            return AckRule.Member(node: name, dataID: node.dataID)
        }
        return keeps + added
    }

    /// Ready replicas that stream directly from the primary under the expected name.
    package static func streamingNodes(
        state: ClusterState, cluster: ClusterIdentity, reports: [NodeName: TimedReport], primary: PrimaryRecord,
        _ settings: PolicySettings, _ now: ClockStamp
    ) -> Set<NodeName> {
        guard let holder = reports[primary.node], let server = holder.report.facts?.server else { return [] }
        let names = Set(server.replicas.filter { $0.state == "streaming" }.map(\.applicationName))
        let fit = state.dataNodes.filter { node in
            node.name != primary.node && node.standing == .ready && !node.tags.nosync
                && names.contains(applicationName(cluster: cluster.id, node: node.name))
                && !hasOtherData(node, reports[node.name]?.report)
        }
        return Set(fit.map(\.name))
    }

    /// The node returned with replaced data, and its new standing is not committed yet: a rule with the old data id could never
    /// be covered by its answer (SE4).
    private static func hasOtherData(_ node: NodeRecord, _ report: NodeReport?) -> Bool {
        guard let reported = report?.facts?.dataID else { return false }
        return reported != node.dataID
    }
}
