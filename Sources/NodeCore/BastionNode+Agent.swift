import ClusterModel
import FailoverCore
import RaftCore

/// The agent's steps become effects.
extension BastionNode {
    var agentContext: AgentContext {
        AgentContext(
            state: state, now: now, me: identity.name, memberID: identity.memberID,
            // Data of its own would be nobody's in a cluster that is about to follow another one.
            mayInitialise: identity.mayInitialise && policy.settings.standbyUpstream == nil, guardStatus: guardStatus, facts: facts,
            leaderReport: freshLeaderReport, pledgedBallot: pledgedBallot)
    }

    /// Evaluated on every change, and every 250 ms.
    mutating func runAgent(isTick: Bool) {
        guard identity.kind == .data, stopping?.isDone != true else { return }
        // RA14, CS8: nothing is done on the word of an old snapshot.
        guard raft.appliedIndex >= min(replayTarget, raft.lastIndex) else { return goOnStopping() }
        if isTick, let agentAt, now.since(agentAt) < .milliseconds(50) { return }
        agentAt = now
        var isWatching = false
        for step in agent.evaluate(agentContext) {
            if step == .watchClosely { isWatching = true } else { carryOut(step) }
        }
        goOnTakingHold()
        goOnStopping()
        observe(every: isWatching || isSettling ? .milliseconds(20) : .seconds(1))
    }

    /// SE9, E13: positions are wanted soon while an operation or a synchronous change is not finished.
    private var isSettling: Bool {
        guard let operation = state.operation else { return !state.synchronous.isSettled && holdsPrimary }
        return operation.phase != .settle || holdsPrimary
    }

    private var holdsPrimary: Bool { state.primary?.memberID == identity.memberID }

    private mutating func observe(every interval: Duration) {
        guard interval != observeInterval else { return }
        observeInterval = interval
        effects.append(.observeEvery(interval))
    }

    private mutating func carryOut(_ step: AgentStep) {
        switch step {
        case .act(let action):
            nextActionID += 1
            actions[nextActionID] = action
            agent.started(action, now: now)
            effects.append(.act(id: nextActionID, action))
            logAction(action)
        case .startStandby: if mayRepeat(step) { effects.append(.startStandby) }
        case .startInPlace(let token): if mayRepeat(step) { effects.append(.startInPlace(token)) }
        case .adopt(let role): if mayRepeat(step) { effects.append(.adopt(role)) }
        case .order(let order): if mayRepeat(step) { effects.append(.orderGuard(order)) }
        case .persistPledge(let ballot): effects.append(.persistPledge(ballot))
        case .answerPledge(let pledge):
            guard mayRepeat(step) else { return }
            if raft.role == .leader {
                receive(.node(.pledge(pledge)), from: identity.memberID)
            } else if let leader = raft.leader {
                send(.pledge(pledge), to: MemberID(rawValue: leader.rawValue))
            }
        case .release(let token, let incarnation, let evidence):
            guard mayRepeat(step), mayRelease() else { return }
            let message = NodeMessage.release(term: raft.term.rawValue, token, incarnation, evidence)
            if raft.role == .leader {
                receive(.node(message), from: identity.memberID)
            } else if let leader = raft.leader {
                send(message, to: MemberID(rawValue: leader.rawValue))
            }
        case .watchClosely: break
        }
    }

    /// A guard answers every order with a report, and a report makes the agent decide again: without a pause between two
    /// equal steps they would call each other without end.
    private mutating func mayRepeat(_ step: AgentStep) -> Bool {
        repeatedSteps.removeAll { now.since($0.at) >= .milliseconds(50) }
        guard !repeatedSteps.contains(where: { $0.step == step }) else { return false }
        repeatedSteps.append((step, now))
        return true
    }

    private mutating func logAction(_ action: PostgresAction) {
        // L05: the request that asked for it, when somebody did.
        let directive = state.directives.last {
            $0.isOpen && $0.targetNode == identity.name && ($0.type == .basebackup || $0.type == .rewind)
        }
        let request = directive?.requestID.map { ["request_id": $0.rawValue] } ?? [:]
        func fields(_ source: PostgresEndpoint) -> [String: String] { request.merging(["source": source.node.rawValue]) { own, _ in own } }
        switch action {
        case .clone(let source, _, _):
            let place = source.isOutside ? "\(source.host):\(source.port), which this cluster follows" : source.node.rawValue
            log(.info, "agent.clone", "cloning the data directory from \(place)", fields(source))
        case .rewind(let source):
            log(.info, "agent.rewind", "demote: rewinding the data directory to follow \(source.node)", fields(source))
        case .initialize: log(.info, "agent.initialize", "initialising a new data directory")
        default: log(.debug, "agent.action", "action \(action.name)", ["action": action.name])
        }
    }
}
