import ClusterModel
import FoundationEssentials
import RaftCore

/// The folder `snapshots/`: one folder `<term>-<index>` for each finished snapshot (ST6).
///
/// A snapshot is written beside the finished ones, made durable, and then renamed: it is there as a whole or not at all.
struct SnapshotStore {
    /// A finished snapshot by its folder name; not verified yet.
    struct Name: Sendable, Hashable, Comparable {
        var term: Term
        var index: LogIndex
        var folder: String { "\(term)-\(index)" }

        init(term: Term, index: LogIndex) {
            self.term = term
            self.index = index
        }

        init?(folder: String) {
            let parts = folder.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let term = UInt64(parts[0]), let index = UInt64(parts[1]) else { return nil }
            self.init(term: Term(term), index: LogIndex(index))
            guard self.folder == folder else { return nil }
        }

        static func < (a: Name, b: Name) -> Bool { (a.index, a.term) < (b.index, b.term) }
    }

    static let temporaryPrefix = ".tmp-"
    /// Limit: a state larger than this is not read back; RA21 allows 64 MiB.
    static let maximumStateBytes = 256 * 1024 * 1024

    let path: String
    let retain: Int
    var clusterID: ClusterID?

    init(directory: String, retain: Int) {
        path = "\(directory)/snapshots"
        self.retain = max(1, retain)
    }

    /// Finished snapshots, newest first.
    func finished() throws(BastionError) -> [Name] {
        try DurableFile.names(in: path).compactMap { Name(folder: $0) }.sorted(by: >)
    }

    /// Durable when it returns; a valid snapshot of the same name is left as it is.
    func save(_ snapshot: Snapshot) throws(BastionError) {
        let name = Name(term: snapshot.term, index: snapshot.index)
        let target = "\(path)/\(name.folder)"
        if DurableFile.exists(target) {
            if try isStored(snapshot, as: name) { return }
            try DurableFile.rename(target, to: "\(path)/\(SnapshotStore.temporaryPrefix)damaged-\(name.folder)")
        }
        try removeUnfinished()
        let temporary = "\(path)/\(SnapshotStore.temporaryPrefix)\(name.folder)"
        try DurableFile.createDirectory(temporary)
        do throws(BastionError) {
            let membership = try encode(MembershipFile(snapshot.membership))
            let manifest = SnapshotManifest(
                format: SnapshotManifest.currentFormat, index: snapshot.index.rawValue, term: snapshot.term.rawValue,
                clusterID: clusterID, stateBytes: snapshot.data.count,
                stateSHA256: SnapshotManifest.sha256(snapshot.data),
                membershipSHA256: SnapshotManifest.sha256(membership))
            try DurableFile.write(snapshot.data, to: "\(temporary)/state")
            try DurableFile.write(membership, to: "\(temporary)/membership")
            try DurableFile.write(try encode(manifest), to: "\(temporary)/manifest.json")
            try DurableFile.syncDirectory(temporary)
            try DurableFile.rename(temporary, to: target)
        } catch {
            // The first error counts; an unfinished folder that stays is never read.
            do throws(BastionError) { try DurableFile.removeDirectory(temporary) } catch {}
            throw error
        }
        try DurableFile.syncDirectory(path)
    }

    /// Reads and verifies one snapshot; any difference from its manifest is `.corrupt`.
    func load(_ name: Name) throws(BastionError) -> Snapshot {
        let folder = "\(path)/\(name.folder)"
        func part(_ file: String, _ limit: Int) throws(BastionError) -> [UInt8] {
            guard let bytes = try DurableFile.read("\(folder)/\(file)", limit: limit) else {
                throw damaged(name, "file \"\(file)\" is missing")
            }
            return bytes
        }
        let manifest: SnapshotManifest = try decode(try part("manifest.json", 65536), name)
        guard manifest.format == SnapshotManifest.currentFormat, manifest.index == name.index.rawValue,
            manifest.term == name.term.rawValue, manifest.clusterID == clusterID
        else { throw damaged(name, "the manifest belongs to something else") }
        let state = try part("state", SnapshotStore.maximumStateBytes)
        guard state.count == manifest.stateBytes, SnapshotManifest.sha256(state) == manifest.stateSHA256 else {
            throw damaged(name, "the state does not match its checksum")
        }
        let bytes = try part("membership", 1024 * 1024)
        guard SnapshotManifest.sha256(bytes) == manifest.membershipSHA256 else {
            throw damaged(name, "the membership does not match its checksum")
        }
        let membership: MembershipFile = try decode(bytes, name)
        return Snapshot(index: name.index, term: name.term, membership: membership.membership, data: state)
    }

    /// Removes all but the newest `retain` snapshots.
    /// - Returns: The index of the oldest one kept: the log behind it is still needed.
    func prune() throws(BastionError) -> LogIndex {
        let all = try finished()
        for name in all.dropFirst(retain) { try remove(name) }
        return all.prefix(retain).last?.index ?? .zero
    }

    /// Removes every snapshot older than `newest`: after an installed snapshot the log between them is gone.
    func removeAll(before newest: LogIndex) throws(BastionError) {
        for name in try finished() where name.index < newest { try remove(name) }
    }

    /// Folders that a crash left unfinished.
    func removeUnfinished() throws(BastionError) {
        for name in try DurableFile.names(in: path) where name.hasPrefix(SnapshotStore.temporaryPrefix) {
            try DurableFile.removeDirectory("\(path)/\(name)")
        }
    }

    private func isStored(_ snapshot: Snapshot, as name: Name) throws(BastionError) -> Bool {
        do throws(BastionError) {
            return try load(name) == snapshot
        } catch {
            guard error.code == .corrupt else { throw error }
            return false
        }
    }

    /// Renamed first, so that a crash in the middle leaves no folder that looks finished.
    private func remove(_ name: Name) throws(BastionError) {
        let doomed = "\(path)/\(SnapshotStore.temporaryPrefix)old-\(name.folder)"
        try DurableFile.rename("\(path)/\(name.folder)", to: doomed)
        try DurableFile.removeDirectory(doomed)
    }

    private func encode(_ value: some Encodable) throws(BastionError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            return try Array(encoder.encode(value))
        } catch {
            throw BastionError(.internal, "could not encode a snapshot", detail: "\(error)")
        }
    }

    private func decode<Value: Decodable>(_ bytes: [UInt8], _ name: Name) throws(BastionError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw damaged(name, "a file is not readable: \(error)")
        }
    }

    private func damaged(_ name: Name, _ detail: String) -> BastionError {
        RaftLogStore.corrupt("snapshot \"\(name.folder)\" is damaged", detail: detail)
    }
}
