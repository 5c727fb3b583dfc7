import ClusterModel
import FailoverCore
import FoundationEssentials
import Operations

/// What `raft recover` prints (`cli.md`, 4.6), and its JSON.
enum RecoverText {
    static func text(_ plan: RecoverPlan) -> String {
        guard !plan.quorumExists else {
            return "quorum exists, nothing to do: \(running(plan))"
        }
        var table = TextTable("NODE", "CLUSTER", "LAST TERM/INDEX", "COMMIT", "PG STATE", "TL", "LSN")
        for node in plan.survivors {
            table.add(
                node.name, String(node.clusterID.prefix(8)), "\(node.lastTerm)/\(node.lastIndex)", "\(node.commitIndex)", node.state ?? "-",
                node.timeline.map { "\($0)" } ?? "-", node.lsn ?? "-")
        }
        let missing = plan.voters.count - 1 - plan.answering.count
        var lines = [
            "quorum is lost: \(missing) of \(plan.voters.count) voters do not answer (\(plan.silent.joined(separator: ", ")))", table.text,
            "state to keep: \(plan.applyOn.name)    newest data seen: \(plan.newestData?.name ?? "none")",
        ]
        if !plan.notSeen.isEmpty {
            lines.append(
                "not seen: \(plan.notSeen.joined(separator: ", ")); run this on each survivor with -o json and add it with --with FILE")
        }
        if plan.uncommitted > 0 { lines.append("\(plan.uncommitted) entries behind the known commit index are kept as well") }
        return (lines + commands(plan).prefix(1).map { "next, on \(plan.applyOn.name):  \($0)" }).joined(separator: "\n")
    }

    private static func running(_ plan: RecoverPlan) -> String {
        if plan.voters.count < 2 { return "this node is the only voter" }
        return plan.answering.count >= plan.majority || plan.hasLeader
            ? "\(plan.answering.joined(separator: ", ")) run" : "start pgbastion here, \(plan.answering.joined(separator: ", ")) run"
    }

    static func summary(_ plan: RecoverApply.Plan, _ site: RecoverySite) -> String {
        let own = plan.facts.own
        return [
            "cluster    \(site.clusterName) \(own.clusterID.prefix(8)) epoch \(own.epoch) -> new id, epoch \(own.epoch + 1), paused",
            "members    \(own.voters.joined(separator: ", ")) -> \(own.name)",
            "state      of this node up to index \(own.lastIndex)"
                + (plan.facts.uncommitted > 0 ? ", \(plan.facts.uncommitted) entries behind the known commit index among it" : ""),
            "moves      \(site.directory) -> \(plan.movesTo)",
        ].joined(separator: "\n")
    }

    private static func commands(_ plan: RecoverPlan) -> [String] {
        guard !plan.quorumExists else { return [] }
        let others = plan.survivors.map(\.name).filter { $0 != plan.own.name }
        let files = others.map { " --with \($0).json" }.joined()
        return [
            "pgbastion raft recover --apply\(plan.applyOn.name == plan.own.name ? files : "")", "systemctl start pgbastion",
            "pgbastion resume --accept-primary \(plan.newestData?.name ?? "NODE")",
        ]
    }

    static func data(_ plan: RecoverPlan) -> JSONValue {
        func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
        let drop = plan.quorumExists ? [] : plan.voters.filter { $0 != plan.applyOn.name }
        return .object([
            .init(name: "quorum_lost", value: .bool(!plan.quorumExists)),
            .init(name: "nodes", value: .array(plan.survivors.map(node))),
            .init(name: "answering", value: list(plan.answering)), .init(name: "silent", value: list(plan.silent)),
            .init(name: "apply_on", value: plan.quorumExists ? .null : .string(plan.applyOn.name)),
            .init(name: "newest_data", value: plan.newestData.map { .string($0.name) } ?? .null),
            .init(name: "drop_voters", value: list(drop)), .init(name: "uncommitted", value: .number("\(plan.uncommitted)")),
            .init(name: "commands", value: list(commands(plan))),
        ])
    }

    private static func node(_ facts: SurvivorFacts) -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        return .object([
            .init(name: "name", value: .string(facts.name)), .init(name: "cluster_id", value: .string(facts.clusterID)),
            .init(name: "epoch", value: .number("\(facts.epoch)")), .init(name: "last_term", value: .number("\(facts.lastTerm)")),
            .init(name: "last_index", value: .number("\(facts.lastIndex)")),
            .init(name: "commit_index", value: .number("\(facts.commitIndex)")),
            .init(name: "voters", value: .array(facts.voters.map { .string($0) })),
            .init(name: "system_identifier", value: text(facts.systemIdentifier)),
            .init(name: "timeline", value: facts.timeline.map { .number("\($0)") } ?? .null), .init(name: "lsn", value: text(facts.lsn)),
            .init(name: "pg_state", value: text(facts.state)),
        ])
    }
}
