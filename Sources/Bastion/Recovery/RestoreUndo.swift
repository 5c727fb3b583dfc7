import BackupArchive
import ClusterModel
import ConfigFiles
import RaftIO

/// `restore --undo` and `raft recover --undo`: the directory from before is put back, until the restored one was started.
package struct RestoreUndo: Sendable {
    package struct Plan: Sendable {
        /// nil: an interrupted exchange is taken back.
        package var previous: String?
        package var undone: String
        package var marker: RestoredMarker?
    }

    let site: RecoverySite

    package init(site: RecoverySite) { self.site = site }

    package func plan() throws(BastionError) -> Plan {
        try site.requireStopped()
        let undone = site.swap.sibling("undone", try site.stamp().compact)
        if site.swap.isUnfinished { return Plan(previous: nil, undone: undone, marker: nil) }
        guard let marker = try RestoredMarker.unconsumed(in: site.directory) else {
            guard try RestoredMarker.consumed(in: site.directory) == nil else {
                throw refusal(
                    .preconditionFailed, "already_started", "the restored directory \"\(site.directory)\" was started already",
                    detail: "The new cluster has committed entries since.",
                    hint: "`pgbastion restore ARCHIVE --bootstrap` restores once more; the old directories are kept beside it")
            }
            throw refusal(.notFound, "not_found", "\"\(site.directory)\" was not restored: there is nothing to undo")
        }
        guard let previous = previous(of: marker) else {
            throw refusal(
                .notFound, "not_found", "the directory from before the restore is not there",
                detail: marker.previous.map { "it was kept as \"\(site.swap.kept($0))\"" } ?? "There was none when it was restored.")
        }
        return Plan(previous: previous, undone: undone, marker: marker)
    }

    /// A crash between exchange and rename leaves the old directory under the name of the staged one.
    private func previous(of marker: RestoredMarker) -> String? {
        guard let name = marker.previous else { return nil }
        let candidates = [name] + ["pre-restore-", "pre-recover-"].map { name.replacing($0, with: "restore-") }
        return candidates.map { site.swap.kept($0) }.first { FileOwner(of: $0) != nil && $0 != site.directory }
    }

    package func carryOut(_ plan: Plan) throws(BastionError) {
        let hold = try site.hold()
        defer { withExtendedLifetime(hold) {} }
        do throws(BastionError) {
            guard let previous = plan.previous else { return try site.swap.takeBack() }
            try site.swap.putBack(previous, keepingAs: plan.undone)
        } catch {
            throw asCommandError(error)
        }
    }
}
