import CLinux
import ClusterModel
import FoundationEssentials
import Glibc

/// Puts another directory in the place of the Raft directory, and keeps the old one (backup-restore.md, 7.2).
///
/// Usually one rename exchanges both, so that a crash leaves the complete old or the complete new one. A mount point cannot be
/// renamed: there the contents change places one by one, under the mark `IN_PROGRESS`, with which no daemon starts.
package struct DirectorySwap: Sendable {
    /// The points at which a crash is tested.
    package enum Step: String, Sendable, CaseIterable, Codable {
        case exchanged, renamed, marked, movedAside, movedIn, unmarked, done
    }

    package static let markName = "IN_PROGRESS"

    /// The Raft directory; links are resolved.
    package let path: String
    package let isMountPoint: Bool
    private let passed: @Sendable (Step) -> Void

    package init(_ directory: String, passed: @escaping @Sendable (Step) -> Void = { _ in }) {
        path = DirectorySwap.real(directory)
        isMountPoint = MountTable.isMountPoint(path)
        self.passed = passed
    }

    /// Treats the directory as a mount point whatever it is: for tests.
    init(mountPoint directory: String, passed: @escaping @Sendable (Step) -> Void) {
        path = DirectorySwap.real(directory)
        isMountPoint = true
        self.passed = passed
    }

    // MARK: Names

    /// Where a directory of this kind and time belongs: beside the Raft directory, or inside of a mount point.
    package func sibling(_ kind: String, _ stamp: String) -> String {
        isMountPoint ? "\(path)/.\(kind)-\(stamp)" : "\(path).\(kind)-\(stamp)"
    }

    /// The directories of this kind that are there, oldest first: full paths.
    package func siblings(_ kind: String) throws(BastionError) -> [String] {
        let folder = isMountPoint ? path : DurableFile.parent(of: path)
        let prefix = isMountPoint ? ".\(kind)-" : "\(DirectorySwap.last(path)).\(kind)-"
        return try DurableFile.names(in: folder).filter { $0.hasPrefix(prefix) }.map { "\(folder)/\($0)" }
    }

    /// The path of something kept under this name beside the Raft directory.
    package func kept(_ name: String) -> String { (isMountPoint ? path : DurableFile.parent(of: path)) + "/" + name }
    package static func last(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// What the directory holds itself: no folders kept by earlier swaps, nothing of the file system.
    package func content() throws(BastionError) -> [String] {
        try DurableFile.names(in: path).filter { !$0.hasPrefix(".") && $0 != "lost+found" && $0 != DirectorySwap.markName }
    }

    package var exists: Bool { DurableFile.exists(path) }

    // MARK: Exchange

    /// Puts `staged` in the place of the Raft directory, which is kept as `aside`.
    ///
    /// - Returns: false when there was nothing to keep.
    package func replace(by staged: String, keepingAs aside: String) throws(BastionError) -> Bool {
        if isMountPoint {
            try exchangeContents(staged, aside)
            return true
        }
        let parent = DurableFile.parent(of: path)
        guard exists else {
            try DurableFile.rename(staged, to: path)
            try DurableFile.syncDirectory(parent)
            passed(.done)
            return false
        }
        guard pgb_rename_exchange(staged, path) == 0 else { throw DurableFile.failure("exchange", path) }
        passed(.exchanged)
        do throws(BastionError) { try DurableFile.rename(staged, to: aside) } catch {
            // A failure changes nothing: the old directory goes back to its place.
            guard pgb_rename_exchange(staged, path) == 0 else { throw halfway(error, staged) }
            throw error
        }
        passed(.renamed)
        try DurableFile.syncDirectory(parent)
        passed(.done)
        return true
    }

    /// The new directory is in its place and cannot be taken back; both are whole.
    private func halfway(_ error: BastionError, _ kept: String) -> BastionError {
        BastionError(
            .io, "\"\(path)\" is the new directory, but the one from before could not be given its name", detail: error.description,
            hint: "it is kept as \"\(kept)\"; mend the disk, then start, or go back with --undo", checks: error.checks)
    }

    private func exchangeContents(_ staged: String, _ aside: String) throws(BastionError) {
        let mark = Mark(staged: DirectorySwap.last(staged), aside: DirectorySwap.last(aside), names: try content())
        do throws(BastionError) {
            try DurableFile.createDirectory(aside)
            if let owner = FileOwner(of: path), geteuid() == 0 { chown(aside, owner.user, owner.group) }
            try writeMark(mark)
        } catch {
            if !isUnfinished { rmdir(aside) }
            throw error
        }
        passed(.marked)
        for name in mark.names {
            try DurableFile.rename("\(path)/\(name)", to: "\(aside)/\(name)")
            passed(.movedAside)
        }
        for name in try DurableFile.names(in: staged) {
            try DurableFile.rename("\(staged)/\(name)", to: "\(path)/\(name)")
            passed(.movedIn)
        }
        try DurableFile.syncDirectory(aside)
        try DurableFile.syncDirectory(staged)
        rmdir(staged)
        try removeMark()
        passed(.done)
    }

    // MARK: Back

    /// Puts back what is kept at `previous`; the present content is kept as `undone`.
    package func putBack(_ previous: String, keepingAs undone: String) throws(BastionError) {
        _ = try replace(by: previous, keepingAs: undone)
    }

    /// Whether a crash interrupted an exchange of contents.
    package var isUnfinished: Bool { DurableFile.exists("\(path)/\(DirectorySwap.markName)") }

    /// Takes an interrupted exchange of contents back: everything is where it was before.
    package func takeBack() throws(BastionError) {
        guard let mark = try readMark() else { return }
        let (staged, aside) = ("\(path)/\(mark.staged)", "\(path)/\(mark.aside)")
        try DurableFile.createDirectory(staged)
        for name in try content() where DurableFile.exists("\(aside)/\(name)") || !mark.names.contains(name) {
            try DurableFile.rename("\(path)/\(name)", to: "\(staged)/\(name)")
            passed(.movedAside)
        }
        for name in try DurableFile.names(in: aside) {
            try DurableFile.rename("\(aside)/\(name)", to: "\(path)/\(name)")
            passed(.movedIn)
        }
        try DurableFile.syncDirectory(staged)
        rmdir(aside)
        try removeMark()
    }

    /// No daemon starts between two directories.
    package static func refuseUnfinished(_ directory: String) throws(BastionError) {
        let swap = DirectorySwap(directory)
        guard swap.isUnfinished else { return }
        throw BastionError(
            .preconditionFailed, "a restore of \"\(directory)\" was interrupted",
            detail: "the file \"\(swap.path)/\(markName)\" is there; the directory holds parts of two states",
            hint: "run `pgbastion restore --undo`, then restore again or start",
            checks: [FailedCheck(id: "restore_unfinished", path: "\(swap.path)/\(markName)")])
    }

    // MARK: Mark

    private struct Mark: Codable {
        var staged: String
        var aside: String
        /// What was in the directory before.
        var names: [String]
    }

    private func writeMark(_ mark: Mark) throws(BastionError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let bytes: [UInt8]
        do { bytes = try Array(encoder.encode(mark)) } catch {
            throw BastionError(.internal, "could not encode a mark", detail: "\(error)")
        }
        let file = "\(path)/\(DirectorySwap.markName)"
        guard bytes.withUnsafeBytes({ pgb_write_durably(file, $0.baseAddress, $0.count, 0o600) }) == 0 else {
            throw DurableFile.failure("write", file)
        }
        if let owner = FileOwner(of: path), geteuid() == 0 { chown(file, owner.user, owner.group) }
    }

    private func readMark() throws(BastionError) -> Mark? {
        guard let bytes = try DurableFile.read("\(path)/\(DirectorySwap.markName)", limit: 65_536) else { return nil }
        do { return try JSONDecoder().decode(Mark.self, from: Data(bytes)) } catch {
            throw BastionError(.corrupt, "\"\(path)/\(DirectorySwap.markName)\" cannot be read", detail: "\(error)")
        }
    }

    /// Everything that was moved is durable before the mark goes.
    private func removeMark() throws(BastionError) {
        try DurableFile.syncDirectory(path)
        guard unlink("\(path)/\(DirectorySwap.markName)") == 0 else {
            throw DurableFile.failure("remove", "\(path)/\(DirectorySwap.markName)")
        }
        passed(.unmarked)
        try DurableFile.syncDirectory(path)
    }

    /// Without trailing slashes and links; a missing directory by its parent.
    private static func real(_ directory: String) -> String {
        if let found = resolve(directory) { return found }
        let parent = resolve(DurableFile.parent(of: directory)) ?? DurableFile.parent(of: directory)
        return (parent == "/" ? "" : parent) + "/" + last(directory)
    }

    private static func resolve(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}

/// What this process sees as mounted.
enum MountTable {
    /// Also for a directory bound onto another one of the same file system.
    static func isMountPoint(_ path: String) -> Bool {
        guard let file = fopen("/proc/self/mountinfo", "re") else { return isOtherFileSystem(path) }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0 {
            guard let line else { break }
            let fields = String(cString: line).split(separator: " ")
            if fields.count > 4, unescaped(fields[4]) == path { return true }
        }
        return false
    }

    private static func isOtherFileSystem(_ path: String) -> Bool {
        var (own, above) = (stat(), stat())
        return stat(path, &own) == 0 && stat("\(path)/..", &above) == 0 && own.st_dev != above.st_dev
    }

    /// The kernel writes blanks and the like as `\040`.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "\\"), let number = UInt8(String(decoding: rest.dropFirst().prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(number)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
