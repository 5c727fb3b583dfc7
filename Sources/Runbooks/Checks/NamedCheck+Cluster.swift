import ClusterModel
import Operations

/// Checks of the whole cluster.
extension NamedCheck {
    static let clusterChecks = [
        NamedCheck("cluster.has_quorum", "a majority of the voters works together and there is a leader") { hasQuorum($0) },
        NamedCheck("cluster.healthy", "quorum, one verified primary, every data node healthy, every replica streaming") { isHealthy($0) },
        NamedCheck("cluster.no_split_brain", "no two servers accept writes") {
            $0.flag("split_brain", is: false, or: "two writable servers were seen")
        },
        NamedCheck("not_paused", "automatic failover is on") { subject in
            let since = subject.at("paused.since")?.string ?? "-"
            let reason = subject.at("paused.reason")?.string ?? ""
            return subject.flag("paused.active", is: false, or: "automatic failover is paused since \(since): \(reason)")
        },
        NamedCheck("no_operation_in_progress", "no operation runs") { isIdle($0) },
        NamedCheck("one_primary", "exactly one server is the primary and accepts writes") { hasOnePrimary($0) },
        NamedCheck("digest.agrees", "the nodes have the same replicated state") { subject in
            guard let agreement = subject.at("raft.digest_agreement")?.string, agreement != "unknown" else {
                return subject.unknown("raft.digest_agreement")
            }
            return agreement == "agree"
                ? subject.pass("the nodes' states agree", path: "raft.digest_agreement", actual: agreement)
                : subject.fail("the nodes' states differ", path: "raft.digest_agreement", actual: agreement, expected: "be agree")
        },
        NamedCheck("synchronous.not_degraded", "commits wait for as many replicas as wanted") { subject in
            let mode = subject.at("synchronous.mode")?.string ?? "-"
            return subject.flag(
                "synchronous.degraded", is: false, or: "synchronous replication (\(mode)) is degraded: commits do not wait for a replica")
        },
        NamedCheck("raft.failures_tolerated", "so many voters may fail", [.init("min", .integer, default: "1")]) { subject in
            guard let present = subject.at("raft.failures_tolerated")?.integer else { return subject.unknown("raft.failures_tolerated") }
            guard let wanted = subject.integer("min") else { return subject.unknown("min") }
            return present >= wanted
                ? subject.pass("\(present) voters may fail", path: "raft.failures_tolerated", actual: "\(present)")
                : subject.fail(
                    "only \(present) voters may fail, \(wanted) must", path: "raft.failures_tolerated", actual: "\(present)",
                    expected: "be >= \(wanted)")
        },
    ]

    static func hasQuorum(_ subject: CheckSubject) -> ConditionResult {
        guard let quorum = subject.at("raft.has_quorum")?.bool else { return subject.unknown("raft.has_quorum") }
        guard quorum else {
            return subject.fail("the cluster has no quorum", path: "raft.has_quorum", actual: "false", expected: "be true")
        }
        guard let leader = subject.at("raft.leader")?.string else {
            return subject.fail("the cluster has no leader", path: "raft.leader", expected: "be present")
        }
        return subject.pass("\(leader) leads", path: "raft.leader", actual: leader)
    }

    private static func isHealthy(_ subject: CheckSubject) -> ConditionResult {
        var results = [hasQuorum(subject)]
        results.append(subject.flag("primary.verified", is: true, or: "the primary is not verified"))
        results.append(subject.flag("split_brain", is: false, or: "two writable servers were seen"))
        let primary = subject.at("primary.name")?.string
        for node in subject.dataNodes {
            let name = subject.name(node)
            let path = "nodes[name=\(name)]"
            if node["healthy"]?.bool != true {
                results.append(
                    subject.fail(
                        "node \(name) is not healthy: \(node["state"]?.string ?? "unknown")", path: "\(path).healthy", actual: "false",
                        expected: "be true"))
            } else if name != primary {
                guard let streaming = subject.at("streaming", of: node)?.bool else {
                    results.append(subject.unknown("\(path).streaming"))
                    continue
                }
                if !streaming {
                    results.append(
                        subject.fail("replica \(name) does not stream", path: "\(path).streaming", actual: "false", expected: "be true"))
                }
            }
        }
        if subject.at("raft.digest_agreement")?.string == "disagree" {
            results.append(
                subject.fail("the nodes' states differ", path: "raft.digest_agreement", actual: "disagree", expected: "be agree"))
        }
        return subject.first(results, else: "the cluster is healthy")
    }

    private static func isIdle(_ subject: CheckSubject) -> ConditionResult {
        guard let active = subject.at("operations.active")?.elements else { return subject.unknown("operations.active") }
        guard let first = active.first else { return subject.pass("no operation is in progress", path: "operations.active") }
        let id = first["id"]?.string ?? "-"
        let name = first["name"]?.string ?? "-"
        return subject.fail("operation \(id) (\(name)) is in progress", path: "operations.active", actual: id, expected: "be empty")
    }

    private static func hasOnePrimary(_ subject: CheckSubject) -> ConditionResult {
        let writable = subject.nodes.filter { node in
            node["role"]?.string == "primary" && node["fenced"]?.bool != true
                && ["running", "starting"].contains(node["state"]?.string ?? "")
        }
        if writable.count > 1 {
            let names = writable.map { subject.name($0) }.joined(separator: ", ")
            return subject.fail("writable servers: \(names)", path: "nodes[role=primary]", actual: names, expected: "be one")
        }
        let split = subject.flag("split_brain", is: false, or: "two writable servers were seen")
        guard split.status == .pass else { return split }
        guard let name = subject.at("primary.name")?.string else {
            return subject.fail("there is no primary", path: "primary.name", expected: "be present")
        }
        let results = [
            subject.flag("primary.verified", is: true, or: "the primary \(name) is not verified"),
            subject.flag("primary.accepting_writes", is: true, or: "the primary \(name) does not accept writes"),
        ]
        return subject.first(results, else: "\(name) is the primary")
    }
}
