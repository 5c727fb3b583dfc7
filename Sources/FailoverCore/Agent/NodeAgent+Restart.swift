import ClusterModel

/// A RESTART directive: the server of this node is stopped and started again (`node restart`).
///
/// Which server is meant stands in the directive, so that a daemon that comes back in between does not restart it twice. Starting
/// it again is the ordinary row: a replica follows, a primary is restarted in place under its lease when the leader says so.
extension NodeAgent {
    /// nil: nothing is left to do here but what the ordinary rows do.
    mutating func restart(_ c: AgentContext) -> [AgentStep]? {
        let mine = c.state.directives.first { $0.targetNode == c.me && $0.isOpen && $0.type == .restart }
        guard let directive = mine, c.leaderReport != nil, memory.directiveResults[directive.id] == nil else { return nil }
        guard directive.token == c.state.primary?.token ?? .never else {
            memory.directiveResults[directive.id] = "D36: another primary was appointed meanwhile"
            return nil
        }
        if let pid = c.guardStatus?.postmasterPID, directive.params["pid"] == "\(pid)" { return stopForRestart(directive, c) }
        if memory.runningDirective != directive.id {
            guard memory.backgroundJob == nil else { return nil }
            memory.runningDirective = directive.id
        }
        if let server = c.server, server.isInRecovery || c.holdsLease {
            let since = memory.stoppedForRestart.flatMap { $0.id == directive.id ? $0.at : nil }
            memory.outages[directive.id] = since.map { Double(c.now.since($0).inMilliseconds) / 1000 }
            memory.directiveResults[directive.id] = .some(nil)
            memory.runningDirective = nil
        }
        return nil
    }

    private mutating func stopForRestart(_ directive: DirectiveRecord, _ c: AgentContext) -> [AgentStep]? {
        guard memory.backgroundJob == nil else { return [.watchClosely] }
        if c.holdsLease, memory.checkpointedForRestart != directive.id {
            memory.checkpointedForRestart = directive.id
            return [.act(.checkpoint), .watchClosely]
        }
        memory.runningDirective = directive.id
        if memory.stoppedForRestart?.id != directive.id { memory.stoppedForRestart = (directive.id, c.now) }
        return [.order(.stop(budgetMilliseconds: 5000)), .watchClosely]
    }
}
