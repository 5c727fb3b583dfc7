import ClusterModel
import Operations

/// Checks of the primary and of replication.
extension NamedCheck {
    static let roleChecks = [
        NamedCheck("primary.writable", "the primary accepts writes") { subject in
            subject.flag("primary.accepting_writes", is: true, or: "the primary does not accept writes")
        },
        NamedCheck("primary.unreachable", "the primary is known and cannot be reached") { isPrimaryUnreachable($0) },
        NamedCheck("no_long_transaction", "no transaction of the primary is older", [.init("max", .duration, default: "15s")]) {
            hasNoLongTransaction($0)
        },
        NamedCheck("no_base_backup", "no base backup runs on the primary") { subject in
            withPrimary(subject) { node, name in
                let path = "nodes[name=\(name)].base_backup_running"
                guard let running = subject.at("base_backup_running", of: node)?.bool else { return subject.unknown(path) }
                return running
                    ? subject.fail("a base backup runs on \(name)", path: path, actual: "true", expected: "be false")
                    : subject.pass("no base backup runs", path: path, actual: "false")
            }
        },
        NamedCheck(
            "replica.caught_up", "the replica streams and its lag, measured recently, is small",
            [
                .init("node", .nodeName, required: true), .init("max_lag", .size, default: "10MiB"),
                .init("max_age", .duration, default: "10s"),
            ]
        ) { subject in subject.withNode { isCaughtUp(subject, $0, $1) } },
        NamedCheck(
            "replicas.caught_up", "every replica streams with a small lag",
            [.init("max_lag", .size, default: "10MiB"), .init("max_age", .duration, default: "10s")]
        ) { subject in
            let replicas = subject.dataNodes.filter { $0["role"]?.string == "replica" }
            guard !replicas.isEmpty else { return subject.fail("there is no replica", path: "nodes[role=replica]", expected: "be present") }
            return subject.first(
                replicas.map { isCaughtUp(subject, $0, subject.name($0)) }, else: "\(replicas.count) replicas are caught up")
        },
        NamedCheck("replay_running", "replay is not paused on the node", [.init("node", .nodeName, required: true)]) { subject in
            subject.withNode { node, name in
                let path = "nodes[name=\(name)].replay_paused"
                guard let paused = subject.at("replay_paused", of: node)?.bool else { return subject.unknown(path) }
                return paused
                    ? subject.fail("replay is paused on \(name)", path: path, actual: "true", expected: "be false")
                    : subject.pass("replay runs on \(name)", path: path, actual: "false")
            }
        },
        NamedCheck(
            "standby.ready", "the cluster of the context follows this one closely",
            [.init("context", .name, required: true), .init("max_lag", .size, default: "10MiB")]
        ) { isStandbyReady($0) },
    ]

    private static func withPrimary(_ subject: CheckSubject, _ judge: (JSONValue, String) -> ConditionResult) -> ConditionResult {
        guard let name = subject.at("primary.name")?.string, let node = subject.node(name) else { return subject.unknown("primary.name") }
        return judge(node, name)
    }

    private static func isPrimaryUnreachable(_ subject: CheckSubject) -> ConditionResult {
        withPrimary(subject) { node, name in
            let path = "nodes[name=\(name)].reachable"
            let isDown = ["stopped", "failed", "unreachable", "fenced"].contains(node["state"]?.string ?? "")
            if node["reachable"]?.bool == false || isDown
                || (node["healthy"]?.bool == false && subject.at("primary.accepting_writes")?.bool == false)
            {
                return subject.pass("the primary \(name) is \(node["state"]?.string ?? "unreachable")", path: path, actual: "false")
            }
            return subject.fail("the primary \(name) can be reached: use switchover", path: path, actual: "true", expected: "be false")
        }
    }

    private static func hasNoLongTransaction(_ subject: CheckSubject) -> ConditionResult {
        withPrimary(subject) { node, name in
            let path = "nodes[name=\(name)].longest_transaction_seconds"
            guard let limit = subject.seconds("max") else { return subject.unknown("max") }
            // Connections are counted by the same question: without a transaction there is no longest one.
            guard let longest = subject.at("longest_transaction_seconds", of: node)?.decimal else {
                return subject.at("connections", of: node) == nil ? subject.unknown(path) : subject.pass("no transaction runs", path: path)
            }
            return longest <= limit
                ? subject.pass("the longest transaction has run for \(longest)s", path: path, actual: "\(longest)")
                : subject.fail(
                    "a transaction on \(name) has run for \(longest)s, at most \(limit)s are allowed", path: path, actual: "\(longest)",
                    expected: "be <= \(limit)")
        }
    }

    static func isCaughtUp(_ subject: CheckSubject, _ node: JSONValue, _ name: String) -> ConditionResult {
        let path = "nodes[name=\(name)].lag_bytes"
        guard let limit = subject.bytes("max_lag") else { return subject.unknown("max_lag") }
        guard let oldest = subject.seconds("max_age") else { return subject.unknown("max_age") }
        guard let streaming = subject.at("streaming", of: node)?.bool else { return subject.unknown("nodes[name=\(name)].streaming") }
        guard streaming else {
            return subject.fail(
                "replica \(name) does not stream", path: "nodes[name=\(name)].streaming", actual: "false", expected: "be true")
        }
        guard let lag = subject.at("lag_bytes", of: node)?.integer.flatMap({ UInt64(exactly: $0) }) else { return subject.unknown(path) }
        if let age = subject.at("lag_age_seconds", of: node)?.decimal, age > oldest {
            return ConditionResult(.unknown, path: path, actual: "\(lag)", "the lag of \(name) was measured \(age)s ago")
        }
        let expected = "be <= \(Quantity.text(bytes: limit))"
        return lag <= limit
            ? subject.pass("\(name) is \(Quantity.text(bytes: lag)) behind", path: path, actual: "\(lag)")
            : subject.fail(
                "`\(path)` is \(ValueText.actual(.number("\(lag)"), .bytes)), must \(expected)", path: path, actual: "\(lag)",
                expected: expected)
    }

    private static func isStandbyReady(_ subject: CheckSubject) -> ConditionResult {
        let context = subject.text("context")
        guard let limit = subject.bytes("max_lag") else { return subject.unknown("max_lag") }
        guard let document = subject.contexts[context] else {
            return ConditionResult(.unknown, "the state of context \(Excerpt.of(context)) is not known")
        }
        guard subject.at("standby.active", of: document)?.bool == true else {
            return subject.fail(
                "the cluster of context \(context) follows no other one", path: "standby.active", actual: "false", expected: "be true")
        }
        let own = subject.at("primary.system_identifier")?.string
        let followed = subject.at("standby.upstream_system_identifier", of: document)?.string
        guard let own, let followed else { return subject.unknown("standby.upstream_system_identifier") }
        guard own == followed else {
            return subject.fail(
                "the cluster of context \(context) follows another database", path: "standby.upstream_system_identifier", actual: followed,
                expected: "be \(own)")
        }
        guard let lag = subject.at("standby.lag_bytes", of: document)?.integer.flatMap({ UInt64(exactly: $0) }) else {
            return subject.unknown("standby.lag_bytes")
        }
        return lag <= limit
            ? subject.pass(
                "the cluster of context \(context) is \(Quantity.text(bytes: lag)) behind", path: "standby.lag_bytes", actual: "\(lag)")
            : subject.fail(
                "the cluster of context \(context) is \(Quantity.text(bytes: lag)) behind, the limit is \(Quantity.text(bytes: limit))",
                path: "standby.lag_bytes", actual: "\(lag)", expected: "be <= \(Quantity.text(bytes: limit))")
    }
}
