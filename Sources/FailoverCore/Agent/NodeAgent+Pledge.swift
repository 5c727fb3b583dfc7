import ClusterModel

/// SE3: a node that pledged follows no primary with a token below the ballot, for ever.
extension NodeAgent {
    mutating func pledgeSteps(_ c: AgentContext) -> [AgentStep] {
        let ballot = memory.wantedBallot
        guard ballot > .never, !memory.pledgeAnswered, ballot > c.state.lastToken else { return [] }
        var steps: [AgentStep] = [.watchClosely]
        if c.pledgedBallot < ballot, memory.persistingBallot != ballot {
            memory.persistingBallot = ballot
            steps.append(.persistPledge(ballot))
        }
        // A settings job that is under way may set the receiver free again: it ends first.
        guard memory.pledgeJob == nil, memory.job == nil else { return steps }
        if let server = c.server, server.isInRecovery {
            if memory.receivedBallot == ballot {
                if c.pledgedBallot >= ballot, let received = memory.received {
                    memory.pledgeAnswered = true
                    steps.append(.answerPledge(answer(ballot, running: received, server, c)))
                }
            } else {
                steps.append(.act(.stopReceiver(settings(upstream: nil, c))))
            }
        } else if c.isStopped {
            steps += answerStopped(ballot, c)
        }
        return steps
    }

    /// A stopped server answers from its files; it stays stopped until this operation has decided.
    private mutating func answerStopped(_ ballot: FencingToken, _ c: AgentContext) -> [AgentStep] {
        // SE4: only a server whose guard holds no lease any more answers as fenced.
        guard let state = c.guardStatus?.state, state == .empty || state == .fenced || state == .standby else { return [] }
        guard c.facts?.dataDirectory == .present, c.facts?.unfinishedJob == nil || servedSinceItsJob(c) else { return [] }  // D48
        guard let stopped = memory.stopped else { return memory.retryAt == nil ? [.act(.inspectStopped)] : [] }
        guard c.pledgedBallot >= ballot, !ranWithoutToken(stopped, c) else { return [] }
        // A start that is on its way must find no upstream.
        if memory.applied?.upstream != nil {
            return memory.retryAt == nil ? [.act(.prepareStandby(settings(upstream: nil, c)))] : []
        }
        memory.pledgeAnswered = true
        return [
            .answerPledge(
                Pledge(
                    ballot: ballot, node: c.me, memberID: c.memberID, dataID: c.facts?.dataID, position: stopped.end,
                    replayed: stopped.end.lsn, history: stopped.history, isStopped: true,
                    storage: c.facts?.storage ?? .healthy, isReplayPaused: false))
        ]
    }

    /// The marker of a completed job outlives it until the server streams; a server that was appointed before that needs it no
    /// more, and its end of WAL counts (SE4 a).
    private func servedSinceItsJob(_ c: AgentContext) -> Bool {
        guard let job = c.facts?.unfinishedJob, job.hasSuffix("-complete"), let data = c.facts?.dataID else { return false }
        return c.state.synchronous.rules.contains { $0.primary.node == c.me && $0.primary.dataID == data }
    }

    private func answer(
        _ ballot: FencingToken, running received: ReceivedPosition, _ server: ServerFacts, _ c: AgentContext
    ) -> Pledge {
        Pledge(
            ballot: ballot, node: c.me, memberID: c.memberID, dataID: c.facts?.dataID,
            position: WALPosition(timeline: received.timeline, lsn: max(received.lsn, received.replayed)),
            replayed: max(received.replayed, server.replayedLSN ?? .zero), history: received.history, isStopped: false,
            storage: c.facts?.storage ?? .healthy, isReplayPaused: server.isReplayPaused)
    }

    // MARK: Settings

    /// The settings file's content for a given upstream (8.5).
    func settings(upstream: PostgresEndpoint?, _ c: AgentContext) -> ManagedSettings {
        guard let cluster = c.state.cluster else {
            return ManagedSettings(upstream: nil, slot: nil, applicationName: "pgb_\(c.me)", synchronousStandbyNames: "")
        }
        let synchronous = c.state.synchronous
        let names: String
        if c.isAppointed {
            names = synchronous.current?.standbyNames(cluster: cluster.id, mode: synchronous.mode) ?? ""
        } else {
            // SE8: replicas always carry the placeholder, so a new primary's commits wait from the first one on.
            names = synchronous.mode == .off ? "" : AckRule.placeholder
        }
        return ManagedSettings(
            upstream: upstream, slot: upstream == nil ? nil : c.me.slotName,
            applicationName: applicationName(cluster: cluster.id, node: c.me), synchronousStandbyNames: names,
            parameters: parameters(c))
    }
}
