import ClusterModel

/// AS4, AG1, AG2, AG5: a server runs in the data directory that this node's guard did not start.
extension NodeAgent {
    /// What is to be done about it; nil when there is none.
    mutating func handleStranger(_ c: AgentContext) -> [AgentStep]? {
        guard let status = c.guardStatus, status.postmasterPID == nil, status.state != .fencing, let stranger = status.stranger
        else { return nil }
        // D60: another system's server is none of ours, and is left as it is.
        if let expected = c.state.systemIdentifier, let found = stranger.systemIdentifier, found != expected {
            memory.state = "failed"
            memory.failure = "D60: the server in the data directory has system identifier \(found), the cluster has \(expected)"
            return []
        }
        guard c.state.cluster != nil else { return [] }
        if c.state.isStandby { return adoptFollower(stranger, c) }
        if c.state.lastToken == .never { return adoptFirst(stranger, c) }
        if c.state.mayRunUnleased(c.me) { return adoptRestored(stranger, c) }
        guard stranger.mayBeWritable || c.facts?.server?.isInRecovery == false else { return adoptStandby(stranger, c) }
        if let token = status.token, status.state == .armed, c.holdsLease, c.state.primary?.phase == .serving {
            return ask(.primary(token), c)  // AG12: started again by hand, under the lease that is still held
        }
        let reason = "AG1: a writable server with pid \(stranger.pid) runs without the current token"
        return [.order(.fence(token: c.state.lastToken, reason: reason)), .watchClosely]
    }

    /// AG5: taken over without a restart. SQL says whether it is in recovery: a server that does not answer yet is waited for.
    private mutating func adoptFirst(_ stranger: StrangerServer, _ c: AgentContext) -> [AgentStep] {
        guard c.mayInitialise, c.record != nil else { return [] }
        guard let server = c.facts?.server else { return [.watchClosely] }
        return server.isInRecovery ? adoptStandby(stranger, c) : ask(.firstPrimary, c)
    }

    /// Recovery without `standby.signal` ends by itself: until then nobody can say what the server will be.
    mutating func adoptStandby(_ stranger: StrangerServer, _ c: AgentContext) -> [AgentStep] {
        guard stranger.hasStandbySignal, c.facts?.unfinishedJob == nil else { return [] }
        return ask(.standby, c)
    }

    private mutating func ask(_ role: AdoptionRequest.Role, _ c: AgentContext) -> [AgentStep] {
        memory.state = "starting"
        return memory.mayAskForStart(c.now) ? [.adopt(role), .watchClosely] : [.watchClosely]
    }

    /// AS4: the stopped server wrote on a timeline that belongs to another node. A base backup that was never started looks
    /// alike but has a `backup_label`.
    func ranWithoutToken(_ stopped: StoppedServer, _ c: AgentContext) -> Bool {
        guard !stopped.wasStandby, stopped.hasBackupLabel != true,
            let owner = c.state.timelines.last(where: { $0.timeline == stopped.end.timeline })?.node
        else { return false }
        return owner != c.me
    }
}
