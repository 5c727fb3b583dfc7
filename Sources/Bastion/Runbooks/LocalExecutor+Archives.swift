import Operations
import Runbooks

extension LocalExecutor {
    /// `backup` of the state document from the directory of archives, for a machine without a daemon; nil: it cannot be listed.
    ///
    /// When an archive was drilled is in the replicated catalogue only.
    func backupStanding(node: String?, now: Int64) async -> JSONValue? {
        guard case .success(let list) = await run(OperationInvocation("backup.list"), node: node) else { return nil }
        let good = (list["backups"]?.elements ?? []).filter { $0["status"]?.string == "good" }
        let newest = good.max { ($0["created_at"]?.string ?? "") < ($1["created_at"]?.string ?? "") }
        let createdAt = newest?["created_at"]?.string
        let age = createdAt.flatMap { Timestamp.seconds(from: $0, to: Timestamp.text(milliseconds: now)) }
        return .record([
            ("last_id", .optional(newest?["id"]?.string)), ("last_success_at", .optional(createdAt)),
            ("age_seconds", age.map { .seconds(max(0, $0)) } ?? .null), ("count_good", .integer(good.count)), ("last_drill_at", .null),
            ("drill_age_seconds", .null),
        ])
    }
}
