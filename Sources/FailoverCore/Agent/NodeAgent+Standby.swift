import ClusterModel

/// The data nodes of a cluster that follows another one (`standby_cluster`): one streams from the other cluster, the others from
/// that one. Nothing is rewound or replaced without an order: the other cluster may only be away for a while.
extension NodeAgent {
    mutating func followUpstream(_ standby: StandbyRecord, _ c: AgentContext) -> [AgentStep] {
        // From the begin of a promotion on nobody receives: positions are compared.
        let origin = c.state.operation == nil ? origin(standby, c) : nil
        var wanted = settings(upstream: origin?.endpoint, c)
        wanted.slot = origin?.slot
        if c.guardStatus?.postmasterPID != nil { return keepRunning(wanted, c) }
        guard c.isStopped, memory.retryAt == nil, c.state.paused == nil || memory.runningDirective != nil else { return [] }
        guard c.facts?.dataDirectory == .present else { return origin.map { cloneFrom($0) } ?? [] }
        if let job = c.facts?.unfinishedJob, !job.hasSuffix("-complete") { return origin.map { cloneFrom($0) } ?? [] }  // D48
        guard let stopped = memory.stopped else { return [.act(.inspectStopped)] }
        if isForeign(stopped.control.systemIdentifier, c) { return [] }
        guard stopped.wasStandby || stopped.hasBackupLabel == true else {
            memory.state = "failed"
            memory.failure =
                "D42: its data ran writable, so they may differ from those of \(standby.upstream.address); "
                + "replace them with `pgbastion node reinit \(c.me)`"
            return []
        }
        memory.state = "starting"
        return startAsStandby(wanted, c)
    }

    /// Where this node's data come from: the other cluster for the source, the source for the others; nil: not known yet.
    func origin(_ standby: StandbyRecord, _ c: AgentContext) -> (endpoint: PostgresEndpoint, slot: String?)? {
        guard let source = standby.source else { return nil }
        if source == c.me { return standby.upstream.endpoint.map { ($0, standby.upstream.slot) } }
        // Until it streams nobody knows whether its data are those of the other cluster.
        guard c.state.systemIdentifier != nil else { return nil }
        return c.state.nodes[source].map { ($0.endpoint, c.me.slotName) }
    }

    private mutating func cloneFrom(_ origin: (endpoint: PostgresEndpoint, slot: String?)) -> [AgentStep] {
        memory.state = "cloning"
        return [.act(.clone(source: origin.endpoint, slot: origin.slot))]
    }

    private mutating func keepRunning(_ wanted: ManagedSettings, _ c: AgentContext) -> [AgentStep] {
        guard let server = c.server, server.isInRecovery, memory.retryAt == nil else { return [] }
        if memory.applied != wanted { return [.act(.applySettings(wanted)), .watchClosely] }
        let streams = server.receiver?.status == "streaming"
        if streams, c.facts?.unfinishedJob != nil, memory.backgroundJob == nil { return [.act(.finishRejoin)] }
        // AG20: the others stream from here, or from the next source.
        if memory.backgroundJob == nil, let step = slots(c) { return [step] }
        return c.state.operation == nil ? [] : [.watchClosely]
    }

    /// A server that runs in the data directory is taken over when it is a standby. One that is writable is none of this cluster's
    /// business: it is neither stopped nor followed.
    mutating func adoptFollower(_ stranger: StrangerServer, _ c: AgentContext) -> [AgentStep] {
        guard let server = c.facts?.server else { return [.watchClosely] }
        if server.isInRecovery { return adoptStandby(stranger, c) }
        memory.state = "failed"
        memory.failure = "AS4: a writable server runs in the data directory, and this cluster follows another one"
        return []
    }
}
