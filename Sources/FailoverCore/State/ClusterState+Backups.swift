import ClusterModel

/// The backup catalogue and the windows of `--once-per` (backup-restore.md, 4).
extension ClusterState {
    mutating func recordBackup(_ record: BackupRecord) {
        var all = (backups ?? []) + [record]
        all.keepNewest(Caps.backups)
        backups = all
    }

    mutating func claimBackup(_ claim: BackupClaim) throws(Rejection) {
        let all = backupClaims ?? []
        if let taken = all.first(where: { $0.isSameWindow(as: claim) }) {
            throw Rejection("backup.window_unclaimed", "series \"\(claim.series)\" is claimed for this window by \(taken.by)")
        }
        // Of one length only the newest window of a series can still be asked for.
        var kept = all.filter { $0.series != claim.series || $0.windowSeconds != claim.windowSeconds } + [claim]
        kept.keepNewest(Caps.backupClaims)
        backupClaims = kept
    }
}

extension BackupClaim {
    fileprivate func isSameWindow(as other: BackupClaim) -> Bool {
        series == other.series && windowSeconds == other.windowSeconds && window == other.window
    }
}
