import ClusterModel
import Glibc
import RaftCore

/// A complete Raft directory of one voter, written beside the one it is to replace (backup-restore.md, 7.2).
///
/// It is locked until this value goes away: no daemon starts in it before it is in its place.
package struct StagedDirectory {
    /// What the new directory holds: a cluster of one voter whose log is empty behind one snapshot.
    package struct Content: Sendable {
        package var clusterID: ClusterID
        package var epoch: UInt32
        package var memberID: MemberID
        /// The place of the snapshot; terms begin anew at 1.
        package var index: LogIndex
        /// The state machine's own encoding.
        package var state: [UInt8]
        /// Further files, by name: `RESTORED.json`.
        package var files: [String: [UInt8]]

        package init(
            clusterID: ClusterID, epoch: UInt32, memberID: MemberID, index: LogIndex, state: [UInt8], files: [String: [UInt8]] = [:]
        ) {
            self.clusterID = clusterID
            self.epoch = epoch
            self.memberID = memberID
            self.index = index
            self.state = state
            self.files = files
        }
    }

    package let path: String
    private let lock: DirectoryLock

    /// Durable when it returns, with every file and directory in it. A directory that a crash left there is written anew.
    package init(_ path: String, _ content: Content, owner: FileOwner?) throws(BastionError) {
        self.path = path
        try DurableTree.remove(path)
        lock = try StagedDirectory.removedOnFailure(path) { () throws(BastionError) in
            try DurableFile.createDirectory(path)
            let lock = try DirectoryLock(directory: path)
            try StagedDirectory.writeStores(path, content)
            for (name, bytes) in content.files.sorted(by: { $0.key < $1.key }) { try DurableFile.write(bytes, to: "\(path)/\(name)") }
            try DurableTree.seal(path, owner: owner)
            try DurableFile.syncDirectory(DurableFile.parent(of: path))
            return lock
        }
    }

    /// Half a directory is of no use to anybody.
    private static func removedOnFailure<Made>(_ path: String, _ make: () throws(BastionError) -> Made) throws(BastionError) -> Made {
        do throws(BastionError) { return try make() } catch {
            // What cannot be removed either is written anew by the next attempt.
            do throws(BastionError) { try DurableTree.remove(path) } catch {}
            throw error
        }
    }

    /// Removes a staged directory that did not come into its place. What else is found at its path stays: it may be the old one.
    package static func discard(_ path: String, of cluster: ClusterID) {
        do throws(BastionError) {
            guard !DurableFile.exists("\(DurableFile.parent(of: path))/\(DirectorySwap.markName)"),
                try RestoredMarker.unconsumed(in: path)?.clusterID == cluster
            else { return }
            try DurableTree.remove(path)
        } catch {}
    }

    /// An empty directory: what `node reset` puts in the place of the old one.
    package static func makeEmpty(_ path: String, owner: FileOwner?) throws(BastionError) {
        try DurableTree.remove(path)
        try removedOnFailure(path) { () throws(BastionError) in
            try DurableFile.createDirectory(path)
            try DurableTree.seal(path, owner: owner)
        }
    }

    private static func writeStores(_ path: String, _ content: Content) throws(BastionError) {
        let term = Term(1)
        let entries = try EntryStore(directory: path, create: true)
        (entries.clusterID, entries.memberID) = (content.clusterID, content.memberID)
        try entries.initialise()
        try entries.write([], replacingAllBehind: EntryStore.Position(index: content.index, term: term))
        try entries.checkpoint()
        try DurableFile.createDirectory("\(path)/snapshots")
        var snapshots = SnapshotStore(directory: path, retain: 1)
        snapshots.clusterID = content.clusterID
        let membership = Membership(voters: [ServerID(content.memberID.rawValue)])
        try snapshots.save(Snapshot(index: content.index, term: term, membership: membership, data: content.state))
        let mark = try CommitMark(directory: path, memberID: content.memberID, isNew: true)
        try mark.write(CommitMark.Value(stable: 1, raft: entries.meta.commits))
        try mark.sync()
        let stable = try StableStore(directory: path, create: true)
        try stable.write(
            StableRecord(
                identity: StableIdentity(
                    clusterID: content.clusterID, epoch: content.epoch, memberID: content.memberID, generation: 0, startID: 0),
                hardState: HardState(term: term), commits: 1))
        try stable.checkpoint()
    }
}

/// Who the files of a directory belong to.
package struct FileOwner: Sendable, Hashable {
    package var user: UInt32
    package var group: UInt32
    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    /// nil when there is nothing at `path`.
    package init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(user: status.st_uid, group: status.st_gid)
    }
}

/// Whole trees of files.
enum DurableTree {
    /// Gives everything to `owner`, the folders mode 0700, and fsyncs every file and folder, the inner ones first.
    static func seal(_ path: String, owner: FileOwner?) throws(BastionError) {
        for name in try DurableFile.names(in: path) {
            let inner = "\(path)/\(name)"
            if isDirectory(inner) {
                try seal(inner, owner: owner)
                continue
            }
            let descriptor = open(inner, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { throw DurableFile.failure("open", inner) }
            defer { close(descriptor) }
            if let owner, geteuid() == 0 {
                guard fchown(descriptor, owner.user, owner.group) == 0 else { throw DurableFile.failure("change the owner of", inner) }
            }
            guard fsync(descriptor) == 0 else { throw DurableFile.syncFailure(inner) }
        }
        guard chmod(path, 0o700) == 0 else { throw DurableFile.failure("change the mode of", path) }
        if let owner, geteuid() == 0 {
            guard chown(path, owner.user, owner.group) == 0 else { throw DurableFile.failure("change the owner of", path) }
        }
        try DurableFile.syncDirectory(path)
    }

    /// Removes a directory with everything in it; a missing one is fine. Links are removed, never followed.
    static func remove(_ path: String) throws(BastionError) {
        guard DurableFile.exists(path) || isLink(path) else { return }
        guard isDirectory(path) else {
            guard unlink(path) == 0 else { throw DurableFile.failure("remove", path) }
            return
        }
        for name in try DurableFile.names(in: path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw DurableFile.failure("remove", path) }
    }

    static func isDirectory(_ path: String) -> Bool { kind(path) == S_IFDIR }
    private static func isLink(_ path: String) -> Bool { kind(path) == S_IFLNK }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
