import ClusterModel

/// What the nodes of the example cluster answer about their logs, states and PostgreSQL.
enum ExampleInspection {
    static func answer(_ inspection: Inspection, _ view: ClusterView) -> InspectionReply {
        switch inspection {
        case .digest: .digest(StateMark(index: view.raft.appliedIndex, sha256: String(repeating: "7f3a91c0", count: 8)))
        case .release: .release(version: view.version, commit: "ab12cd3")
        case .entries: .entries([entry])
        case .snapshot: .snapshot(term: view.raft.term, index: view.raft.appliedIndex)
        case .checkpoint: .checkpoint(lsn: view.primary?.lsn, seconds: 0.8)
        case .dropSlot: .done
        case .checkSettings: .problems([:])
        case .settings(let names):
            .settings(names.map { SettingFacts(name: $0, value: "64MB", fileValue: "64MB", pendingRestart: false) })
        case .outcome: .outcome(nil)
        case .digestAt(let index): .digest(StateMark(index: index, sha256: String(repeating: "7f3a91c0", count: 8)))
        }
    }

    private static var entry: LogEntryView {
        var entry = LogEntryView(index: 48213, term: 7, kind: "command", bytes: 312)
        entry.command = "finishOperation"
        entry.actor = DecisionRecord.policy
        entry.rules = ["SE10"]
        entry.at = "2026-02-17T01:59:12.000Z"
        return entry
    }

    /// The end of the example's last switchover.
    static let decisions: [DecisionRecord] = {
        var records: [DecisionRecord] = []
        var started = DecisionRecord(
            at: 1_771_293_551_000, kind: "operation.started", rules: ["D36"], text: "switchover node2 -> node1: asked for by root")
        started.actor = "uid 0 over unix socket"
        started.operationID = "op-48231"
        started.requestID = RequestID("7f3a9c21")
        records.chain(started, keeping: 512)
        var assigned = DecisionRecord(
            at: 1_771_293_552_000, kind: "primary.assigned", rules: ["SW5", "D37", "LE8"],
            text: "node1 is appointed with token 41, timeline 5, basis released, nothing is lost")
        assigned.operationID = "op-48231"
        assigned.node = ExampleCluster.name("node1")
        assigned.inputs = "5e0c1f7a90b2d314"
        assigned.candidates = [.init(node: ExampleCluster.name("node1"), isChosen: true, reason: "SE4: proven lossless")]
        records.chain(assigned, keeping: 512)
        return records
    }()
}
