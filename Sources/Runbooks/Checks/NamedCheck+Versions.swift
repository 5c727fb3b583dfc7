import ClusterModel
import Operations

/// Checks of versions and backups.
extension NamedCheck {
    private static let to = Parameter("to", .text, required: true)

    static let versionChecks = [
        NamedCheck("upgrade.ready", "the cluster can go to the version", [to]) { isUpgradeReady($0) },
        NamedCheck("downgrade.ready", "the node can go back to the version", [.init("node", .nodeName, required: true), to]) {
            isDowngradeReady($0)
        },
        NamedCheck("versions.all", "every node has the version", [to]) { subject in
            let wanted = subject.text("to")
            let others = subject.nodes.filter { $0["version"]?.string != wanted }
            guard !subject.nodes.isEmpty else { return subject.unknown("nodes") }
            guard let first = others.first else {
                return subject.pass("every node has \(wanted)", path: "nodes[*].version", actual: wanted)
            }
            if subject.at("version", of: first) == nil, others.allSatisfy({ subject.at("version", of: $0) == nil }) {
                return subject.unknown("nodes[name=\(subject.name(first))].version")
            }
            let names = others.map { "\(subject.name($0)) \($0["version"]?.string ?? "unknown")" }.joined(separator: ", ")
            return subject.fail("not every node has \(wanted): \(names)", path: "nodes[*].version", actual: names, expected: "be \(wanted)")
        },
    ]

    private static func isUpgradeReady(_ subject: CheckSubject) -> ConditionResult {
        let text = subject.text("to")
        guard let target = SemanticVersion(text) else { return subject.fail("\"\(Excerpt.of(text))\" is no version", actual: text) }
        var results: [ConditionResult] = []
        let versions = subject.nodes.compactMap { node in node["version"]?.string.flatMap { SemanticVersion($0) } }
        if versions.count < subject.nodes.count || versions.isEmpty { results.append(subject.unknown("nodes[*].version")) }
        if let max = versions.max(), let min = versions.min() {
            if target.major != max.major || target.minor > min.minor + 1 {
                results.append(
                    subject.fail(
                        "\(min) to \(target) is more than one minor version", path: "versions.min", actual: "\(min)",
                        expected: "be one minor version from \(target)"))
            } else if target < max {
                results.append(
                    subject.fail(
                        "\(target) is older than \(max): use the runbook rollback-node", path: "versions.max", actual: "\(max)",
                        expected: "be <= \(target)"))
            }
        }
        let open = subject.at("directives.pending")?.integer
        if let open, open > 0 {
            results.append(subject.fail("\(open) directives are pending", path: "directives.pending", actual: "\(open)", expected: "be 0"))
        } else if open == nil {
            results.append(subject.unknown("directives.pending"))
        }
        results.append(hasQuorum(subject))
        let invalid = subject.at("config.invalid_nodes")?.elements?.compactMap(\.string) ?? []
        if !invalid.isEmpty {
            results.append(
                subject.fail(
                    "the configuration of \(invalid.joined(separator: ", ")) is not valid", path: "config.invalid_nodes",
                    actual: invalid.joined(separator: ", "), expected: "be empty"))
        }
        return subject.first(results, else: "the cluster can go to \(target)")
    }

    private static func isDowngradeReady(_ subject: CheckSubject) -> ConditionResult {
        subject.withNode { node, name in
            let text = subject.text("to")
            guard let target = SemanticVersion(text) else { return subject.fail("\"\(Excerpt.of(text))\" is no version", actual: text) }
            let path = "nodes[name=\(name)].version"
            guard let present = subject.at("version", of: node)?.string.flatMap({ SemanticVersion($0) }) else {
                return subject.unknown(path)
            }
            guard target.major == present.major, present.minor - target.minor <= 1, target <= present else {
                return subject.fail(
                    "\(present) to \(target) is not one minor version back: the node needs rejoin-node", path: path, actual: "\(present)",
                    expected: "be one minor version above \(target)")
            }
            if let facts = ReleaseTable.release("\(target)"), let written = subject.at("schema_version", of: node)?.integer,
                !(Int64(facts.stateSchema.readMin)...Int64(facts.stateSchema.readMax) ~= written)
            {
                return subject.fail(
                    "\(target) cannot read state schema \(written): the node needs rejoin-node", path: "nodes[name=\(name)].schema_version",
                    actual: "\(written)", expected: "be <= \(facts.stateSchema.readMax)")
            }
            return subject.pass("\(name) can go back to \(target)", path: path, actual: "\(present)")
        }
    }

    static let backupChecks = [
        NamedCheck("backup.fresh", "the last good backup is young enough", [.init("max_age", .duration, default: "26h")]) { subject in
            guard let limit = subject.seconds("max_age") else { return subject.unknown("max_age") }
            guard subject.at("backup.count_good")?.integer != 0 else {
                return subject.fail("there is no good backup", path: "backup.count_good", actual: "0", expected: "be >= 1")
            }
            guard let age = subject.at("backup.age_seconds")?.decimal else { return subject.unknown("backup.age_seconds") }
            return age <= limit
                ? subject.pass("the last backup is \(Int64(age))s old", path: "backup.age_seconds", actual: "\(age)")
                : subject.fail(
                    "the last backup is \(Int64(age))s old, at most \(Int64(limit))s are allowed", path: "backup.age_seconds",
                    actual: "\(age)", expected: "be <= \(limit)")
        },
        NamedCheck("backup.verified", "there is a good archive with that name", [.init("archive", .text, default: "latest")], offline: true)
        { isVerified($0) },
        NamedCheck("backup.writable", "the archive directory can be written") { subject in
            let closed = subject.nodes.filter { $0["backup_writable"]?.bool == false }
            guard closed.isEmpty else {
                let names = closed.map { subject.name($0) }.joined(separator: ", ")
                return subject.fail(
                    "the archive directory of \(names) cannot be written", path: "nodes[*].backup_writable", actual: "false",
                    expected: "be true")
            }
            return subject.pass("nothing stands against writing archives")
        },
    ]

    private static func isVerified(_ subject: CheckSubject) -> ConditionResult {
        let archive = subject.text("archive")
        // A file is looked at by the operation that reads it: the document knows only the catalogue.
        if archive.contains("/") { return subject.pass("\(Excerpt.of(archive)) is a file; the operation verifies it") }
        guard let good = subject.at("backup.count_good")?.integer else { return subject.unknown("backup.count_good") }
        guard good > 0 else {
            return subject.fail("there is no good archive", path: "backup.count_good", actual: "0", expected: "be >= 1")
        }
        if archive == "latest", subject.at("backup.last_id") == nil {
            return subject.fail("there is no last archive", path: "backup.last_id", expected: "be present")
        }
        return subject.pass("\(good) good archives are known", path: "backup.count_good", actual: "\(good)")
    }
}
