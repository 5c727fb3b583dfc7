import ClusterModel
import FailoverCore
import RaftCore

/// A request of an operator that this leader received.
struct AskedRequest: Sendable {
    var id: UInt64
    var name: String
    var metadata: RequestMetadata
}

/// What keeps refusals from filling the decision record.
struct RefusalMemory: Sendable {
    /// The refusal of the policy seen now, and since when it has been the same.
    var text = ""
    var since: ClockStamp?
    /// The one that is recorded already.
    var recorded = ""
    var requestAt: ClockStamp?

    /// Limit: a refusal is recorded when it has not changed for so long.
    static let settles: Duration = .seconds(3)
    /// Limit: at most one refused request in this time is recorded.
    static let requestInterval: Duration = .seconds(1)
}

/// PR8: refusals are decisions. They are the only ones that cost an entry of their own, so they are recorded once, not while
/// they last.
extension BastionNode {
    mutating func recordRefusal(_ c: PolicyContext) {
        guard decision.command == nil, !decision.refusal.isEmpty else {
            if decision.command == nil { refusals.text = "" }
            return
        }
        if refusals.text != decision.refusal {
            refusals.text = decision.refusal
            refusals.since = now
        }
        guard let since = refusals.since, now.since(since) >= RefusalMemory.settles, refusals.recorded != refusals.text else { return }
        refusals.recorded = refusals.text
        let isKnown = state.decisions.last { $0.kind == DecisionRecord.policyRefusal }.map {
            $0.text == refusals.text && $0.operationID == state.operation?.id
        }
        guard isKnown != true else { return }
        var record = DecisionRecord(
            at: wallTime, kind: DecisionRecord.policyRefusal, rules: RuleMention.ids(in: refusals.text), text: refusals.text)
        record.operationID = state.operation?.id
        record.requestID = state.operation?.requestID
        record.node = state.primary?.node
        record.candidates = decision.notChosen.map { DecisionRecord.Candidate(node: $0.node, reason: $0.reason) }
        record.inputs = c.fingerprint
        propose(.appendDecision(record))
    }

    /// An operator's request came: remembered until it is answered.
    mutating func note(_ request: ClusterRequest, id: UInt64, _ metadata: RequestMetadata) {
        asked.append(AskedRequest(id: id, name: request.name, metadata: metadata))
        if asked.count > 64 { asked.removeFirst() }
    }

    /// What the caller said about the request that a proposal carries out (`--reason`).
    func askedReason(_ trace: RequestID?) -> String? {
        asked(trace)?.reason
    }

    /// The run of a runbook on whose behalf a proposal is made.
    func askedRun(_ trace: RequestID?) -> RunClaim? { asked(trace)?.claim }

    private func asked(_ trace: RequestID?) -> RequestMetadata? {
        guard let trace else { return nil }
        return asked.last { $0.metadata.requestID == trace }?.metadata
    }

    mutating func recordRefusal(of id: UInt64, _ error: BastionError) {
        guard let position = asked.firstIndex(where: { $0.id == id }) else { return }
        let request = asked.remove(at: position)
        let isRefusal = error.code == .preconditionFailed || error.code == .locked || error.code == .onlyVoter
        guard isRefusal, isReadyLeader, state.cluster != nil,
            refusals.requestAt.map({ now.since($0) >= RefusalMemory.requestInterval }) ?? true
        else { return }
        refusals.requestAt = now
        var record = DecisionRecord(
            at: wallTime, kind: DecisionRecord.requestRefusal,
            rules: error.checks.map(\.id) + RuleMention.ids(in: error.message), text: "\(request.name) \(error.message)")
        record.actor = request.metadata.actor
        record.requestID = request.metadata.requestID
        record.reason = request.metadata.reason
        record.operationID = error.operationID
        propose(.appendDecision(record))
    }

    /// Something an operator did that changes no replicated state by itself: leadership, a learner's vote.
    mutating func recordChange(_ kind: String, _ text: String, _ metadata: RequestMetadata, node: NodeName?) {
        var record = DecisionRecord(at: wallTime, kind: kind, rules: [], text: text)
        record.actor = metadata.actor
        record.requestID = metadata.requestID
        record.reason = metadata.reason
        record.node = node
        propose(.appendDecision(record))
    }
}

extension DecisionRecord {
    package static let policyRefusal = "policy.refused"
    package static let requestRefusal = "request.refused"
}

extension PolicyDecision {
    /// Who was chosen by the command, and why the others were not.
    var candidates: [DecisionRecord.Candidate] {
        guard case .assignPrimary(let a) = command else { return [] }
        let lossless = a.certificate?.provenZero ?? true
        let chosen = DecisionRecord.Candidate(
            node: a.node, isChosen: true, reason: lossless ? "SE4: proven lossless" : "SE6: the best without proof")
        return [chosen] + notChosen.map { DecisionRecord.Candidate(node: $0.node, reason: $0.reason) }
    }
}
