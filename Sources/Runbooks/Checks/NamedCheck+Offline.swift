import ClusterModel
import Operations

/// Checks of a node whose daemon does not run: they read `local`.
extension NamedCheck {
    static let offlineChecks = [
        NamedCheck("config.valid", "the configuration file of this node is valid", offline: true) {
            $0.flag("local.config_valid", is: true, or: "the configuration file has errors")
        },
        NamedCheck("ports.free", "the ports of the configuration are free", offline: true) {
            $0.flag("local.ports_free", is: true, or: "another program uses a port of the configuration")
        },
        // The guard may go on: it keeps PostgreSQL running, and nothing that is done offline touches that.
        NamedCheck("service.stopped", "the daemon does not run here", offline: true) {
            $0.flag("local.daemon_running", is: false, or: "the daemon runs on this machine")
        },
        NamedCheck("data_dir.empty", "this node has no consensus data", offline: true) { subject in
            guard let state = subject.at("local.data_dir")?.string else { return subject.unknown("local.data_dir") }
            return ["missing", "empty"].contains(state)
                ? subject.pass("the data directory is \(state)", path: "local.data_dir", actual: state)
                : subject.fail("the data directory is \(state)", path: "local.data_dir", actual: state, expected: "be missing or empty")
        },
        NamedCheck("no_cluster_answers", "no member that is configured answers with a cluster", offline: true) { subject in
            answering(subject) { member in
                member["reachable"]?.bool == true && (subject.at("cluster_id", of: member) != nil || member["has_leader"]?.bool == true)
            }
        },
        NamedCheck("members.unreachable", "no other member answers", offline: true) { subject in
            answering(subject) { $0["reachable"]?.bool == true }
        },
        NamedCheck("quorum.lost", "fewer than a majority of the members can be reached, and nobody leads", offline: true) {
            isQuorumLost($0)
        },
        NamedCheck(
            "system_id.matches", "this PostgreSQL belongs to the cluster of the archive", [.init("archive", .text, default: "latest")],
            offline: true
        ) { isSameDatabase($0) },
    ]

    private static func others(_ subject: CheckSubject) -> [JSONValue]? {
        guard let members = subject.at("local.members")?.elements else { return nil }
        let own = subject.at("local.node")?.string
        return members.filter { $0["name"]?.string != own }
    }

    private static func answering(_ subject: CheckSubject, _ answers: (JSONValue) -> Bool) -> ConditionResult {
        guard let others = others(subject) else { return subject.unknown("local.members") }
        guard let first = others.first(where: answers) else { return subject.pass("no other member answers", path: "local.members") }
        let name = first["name"]?.string ?? first["address"]?.string ?? "a member"
        return subject.fail("member \(name) answers", path: "local.members[name=\(name)].reachable", actual: "true", expected: "be false")
    }

    private static func isQuorumLost(_ subject: CheckSubject) -> ConditionResult {
        guard let others = others(subject) else { return subject.unknown("local.members") }
        if let led = others.first(where: { $0["reachable"]?.bool == true && $0["has_leader"]?.bool == true }) {
            return subject.fail(
                "member \(led["name"]?.string ?? "-") knows a leader", path: "local.members[*].has_leader", actual: "true",
                expected: "be false")
        }
        let all = others.count + 1
        // This node itself could be started again.
        let present = others.count { $0["reachable"]?.bool == true } + 1
        let needed = all / 2 + 1
        return present < needed
            ? subject.pass("\(present) of \(all) members are left, \(needed) are needed", path: "local.members", actual: "\(present)")
            : subject.fail(
                "\(present) of \(all) members are left: they are a majority", path: "local.members", actual: "\(present)",
                expected: "be < \(needed)")
    }

    private static func isSameDatabase(_ subject: CheckSubject) -> ConditionResult {
        let path = "local.postgres.system_identifier"
        guard let own = subject.at(path)?.string else { return subject.unknown(path) }
        // The archive's own identifier is compared by the operation; here, what else is known of the cluster.
        let known =
            [subject.at("backup.system_identifier")?.string, subject.at("primary.system_identifier")?.string]
            + subject.nodes.map { $0["system_identifier"]?.string }
        let others = Set(known.compactMap { $0 })
        if let other = others.sorted().first(where: { $0 != own }), !others.contains(own) {
            return subject.fail("this PostgreSQL is \(own), the cluster's is \(other)", path: path, actual: own, expected: "be \(other)")
        }
        return subject.pass("this PostgreSQL is \(own)", path: path, actual: own)
    }
}
