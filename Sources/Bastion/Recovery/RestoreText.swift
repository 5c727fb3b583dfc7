import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import Operations
import RaftCore
import RaftIO

/// What `restore` and `node reset` print (`cli.md`, 4.7), and their JSON.
enum RestoreText {
    static func plan(_ plan: RestoreBootstrap.Plan, _ site: RecoverySite) -> String {
        let manifest = plan.source.manifest
        let state = plan.source.state
        let age = RecoveryText.age(.seconds(wallClockMilliseconds() / 1000 - manifest.createdAt.seconds))
        let members = state.memberNodes.map(\.name.rawValue).joined(separator: ", ")
        let open = state.directives.count(where: \.isOpen)
        var lines = [
            row(
                "archive",
                "\(manifest.id) (\(age) old, \(manifest.source.mode.rawValue), \(plan.source.isSealed ? "verified" : "verified, not sealed"))"
            ),
            row(
                "cluster",
                "\(manifest.cluster.name) \(manifest.cluster.id.prefix(8)) epoch \(manifest.cluster.epoch) -> new id, epoch "
                    + "\(manifest.cluster.epoch + 1), paused"),
            row("members", "\(members) -> \(site.node)"),
            row("directives", open == 0 ? "0 pending" : "\(open) pending are cancelled, never executed"),
            row("postgres", postgres(plan, site)),
        ]
        lines.append(row("moves", plan.movesTo.map { "\(site.directory) -> \($0)" } ?? "nothing: \(site.directory) does not exist"))
        lines += plan.configurationNotes.map { row("config", $0) }
        lines += plan.warnings.map { row("warning", $0) }
        let others = state.memberNodes.filter { $0.name != site.node }
        let next = RecoveryText.next(
            node: site.node, claimed: state.primary?.node, others: others, ownPort: site.configuration.raft.bindPort.number)
        lines.append(row("next", next.joined(separator: "; ")))
        return lines.joined(separator: "\n")
    }

    private static func row(_ name: String, _ text: String) -> String {
        name + String(repeating: " ", count: max(1, 11 - name.count)) + text
    }

    private static func postgres(_ plan: RestoreBootstrap.Plan, _ site: RecoverySite) -> String {
        let found = site.configuration.postgresql?.dataDirectory.flatMap { PostgresIdentity.systemIdentifier($0) }
        let identity =
            found == nil
            ? "no data directory here"
            : plan.source.manifest.postgres.systemIdentifier == nil
                ? "the archive names no system identifier" : "system identifier matches"
        guard let primary = plan.source.state.primary else { return "\(identity); no primary then" }
        return "\(identity); primary then: \(primary.node), timeline \(primary.timeline) (to be verified)"
    }

    static func data(_ plan: RestoreBootstrap.Plan, _ site: RecoverySite) -> JSONValue {
        let manifest = plan.source.manifest
        return .object([
            .init(name: "archive", value: .string(manifest.id)), .init(name: "sha256", value: .string(plan.source.sha256)),
            .init(name: "cluster", value: .string(manifest.cluster.name)), .init(name: "parent_id", value: .string(manifest.cluster.id)),
            .init(name: "epoch", value: .number("\(manifest.cluster.epoch + 1)")),
            .init(name: "members", value: .array(plan.source.state.memberNodes.map { .string($0.name.rawValue) })),
            .init(name: "moved_to", value: text(plan.movesTo)),
            .init(name: "configuration", value: .array(plan.configurationNotes.map { .string($0) })),
            .init(name: "warnings", value: .array(plan.warnings.map { .string($0) })),
        ])
    }

    static func outcome(_ outcome: RestoreBootstrap.Outcome, _ what: String, _ site: RecoverySite, _ notes: [String]) -> String {
        var lines = [
            "cluster \(site.clusterName) is \(what): new id \(outcome.clusterID.short), epoch \(outcome.epoch), paused, on \(site.node) alone",
            outcome.movedTo.map { "the directory from before is \($0)" } ?? "there was no directory before",
        ]
        if !outcome.cancelledDirectives.isEmpty {
            lines.append("cancelled directives: \(outcome.cancelledDirectives.joined(separator: ", "))")
        }
        if !outcome.droppedMembers.isEmpty {
            lines.append("no members any more: \(outcome.droppedMembers.map(\.rawValue).joined(separator: ", "))")
        }
        return (lines + notes + outcome.next.map { "next: \($0)" }).joined(separator: "\n")
    }

    static func data(_ outcome: RestoreBootstrap.Outcome, _ site: RecoverySite, plan: JSONValue?) -> JSONValue {
        .object([
            .init(name: "plan", value: plan ?? .null), .init(name: "cluster_id", value: .string(outcome.clusterID.description)),
            .init(name: "parent_id", value: text(outcome.parentID?.description)), .init(name: "epoch", value: .number("\(outcome.epoch)")),
            .init(name: "voters", value: .array([.string(site.node.rawValue)])), .init(name: "moved_to", value: text(outcome.movedTo)),
            .init(name: "cancelled_directives", value: .array(outcome.cancelledDirectives.map { .string($0) })),
            .init(name: "dropped_members", value: .array(outcome.droppedMembers.map { .string($0.rawValue) })),
            .init(name: "next", value: .array(outcome.next.map { .string($0) })),
        ])
    }

    static func undo(_ plan: RestoreUndo.Plan, _ site: RecoverySite, isDone: Bool) -> LocalAnswer {
        let verb = isDone ? "was" : "would be"
        let lines: [String] =
            plan.previous.map {
                ["\($0) \(verb) put back as \(site.directory)", "what was restored \(isDone ? "is" : "would be") kept as \(plan.undone)"]
            } ?? ["the interrupted restore of \(site.directory) \(verb) taken back"]
        return LocalAnswer(
            text: lines.joined(separator: "\n"),
            data: .object([
                .init(name: "moved_to", value: plan.previous == nil ? .null : .string(plan.undone)),
                .init(name: "restored_from", value: text(plan.previous)),
            ]))
    }

    static func reset(_ plan: NodeReset.Plan, _ site: RecoverySite, isDone: Bool) -> LocalAnswer {
        var lines: [String] = []
        if let aside = plan.movesTo {
            lines.append("\(site.directory) \(isDone ? "is now" : "would become") \(aside), and an empty directory takes its place")
            lines.append("PostgreSQL's data is not touched")
            lines.append("next: systemctl start pgbastion; on a member: pgbastion node rejoin \(site.node)")
        } else {
            lines.append("\(site.directory) is empty: nothing to do")
        }
        lines += plan.purges.map { "\(isDone ? "removed" : "would remove") \($0)" }
        return LocalAnswer(
            text: lines.joined(separator: "\n"),
            data: .object([
                .init(name: "node", value: .string(site.node.rawValue)), .init(name: "moved_to", value: text(plan.movesTo)),
                .init(name: "purged", value: .array(plan.purges.map { .string($0) })),
            ]))
    }

    private static func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
}
