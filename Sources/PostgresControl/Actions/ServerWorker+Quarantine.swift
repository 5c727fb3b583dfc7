import ClusterModel
import Glibc

extension ServerWorker {
    /// D49: nothing is wiped; the directory gets another name and keeps the reason beside its files.
    func quarantine(_ reason: String) throws(BastionError) {
        try requireStopped()
        try LeftoverPrograms.end(dataDirectory: input.dataDirectory)
        if DataDirectory.state(input.dataDirectory) == .present {
            let target = try moveToQuarantine()
            try DurableFiles.write(reason + "\n", to: target + "/pgbastion.quarantine")
        }
        try DurableFiles.remove(input.markerFile)
    }

    /// - Returns: The new path, `<data_dir>.quarantine-<time>`.
    @discardableResult
    func moveToQuarantine() throws(BastionError) -> String {
        let base = input.dataDirectory + ".quarantine-" + input.timestamp()
        var target = base
        var number = 2
        while DurableFiles.exists(target) {
            target = "\(base)-\(number)"
            number += 1
        }
        try DurableFiles.move(input.dataDirectory, to: target)
        return target
    }

    /// Kept `days`, or until less than 10 % of the disk is free: then the oldest goes first.
    func pruneQuarantine(keepingDays days: Int) throws(BastionError) -> [String] {
        let parent = DurableFiles.parent(of: input.dataDirectory)
        let prefix = DurableFiles.name(of: input.dataDirectory) + ".quarantine-"
        var removed: [String] = []
        for name in try DurableFiles.list(parent) ?? [] where name.hasPrefix(prefix) {
            let path = parent + "/" + name
            guard isOlder(path, days) || isDiskShort(parent) else { continue }
            try DurableFiles.removeTree(path)
            removed.append(path)
        }
        return removed
    }

    private func isOlder(_ path: String, _ days: Int) -> Bool {
        var status = stat()
        // The change time is that of the rename.
        guard lstat(path, &status) == 0 else { return false }
        return time(nil) - status.st_ctim.tv_sec > days * 86_400
    }

    private func isDiskShort(_ path: String) -> Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        return status.f_bavail * 10 < status.f_blocks
    }
}
