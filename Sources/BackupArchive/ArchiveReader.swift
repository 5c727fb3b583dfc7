import CLibArchive
import ClusterModel
import Crypto
import Glibc

/// Reads an archive as a stream and refuses everything the format does not name. Nothing is ever extracted to disk.
package final class ArchiveReader {
    /// What one pass over the whole archive found.
    package struct Facts: Sendable, Hashable {
        /// The hash of the file, in 64 hexadecimal digits.
        package var sha256: String
        package var members: [BackupManifest.File]
    }

    /// Is handed the pieces of each member, in order.
    package typealias Visitor = (_ path: String, _ piece: UnsafeRawBufferPointer) throws(BastionError) -> Void

    private let gzip: GzipLayer
    private let tar: OpaquePointer
    private let stream = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var failure: BastionError?
    private var members: [BackupManifest.File] = []

    private init(_ file: ArchiveFile) throws(BastionError) {
        guard let tar = archive_read_new() else { throw LibArchive.noMemory }
        self.tar = tar
        do throws(BastionError) {
            gzip = try GzipLayer(file)
        } catch {
            archive_read_free(tar)
            stream.deallocate()
            piece.deallocate()
            throw error
        }
    }

    deinit {
        archive_read_free(tar)
        stream.deallocate()
        piece.deallocate()
    }

    /// - Throws: `.integrity` for a damaged or hostile archive, `.invalidData` for a file that is none, `.io`.
    package static func read(_ file: ArchiveFile, _ visitor: Visitor) throws(BastionError) -> Facts {
        let reader = try ArchiveReader(file)
        try reader.open()
        while try reader.member(visitor) {}
        return try reader.finish()
    }

    /// Only the first member. Nothing behind it is checked: for lists, never for a decision to trust the content.
    package static func manifest(_ file: ArchiveFile) throws(BastionError) -> BackupManifest {
        let reader = try ArchiveReader(file)
        try reader.open()
        var bytes: [UInt8] = []
        _ = try reader.member { (_, piece) throws(BastionError) in bytes += Array(piece) }
        return try BackupManifest.read(bytes)
    }

    /// One member as a whole, read in a pass over the whole archive.
    ///
    /// - Throws: `.notFound` when the archive has no such member.
    package static func member(_ wanted: String, of file: ArchiveFile) throws(BastionError) -> [UInt8] {
        var bytes: [UInt8]?
        _ = try read(file) { (path, piece) throws(BastionError) in
            if path == wanted { bytes = (bytes ?? []) + Array(piece) }
        }
        guard let bytes else { throw BastionError(.notFound, "the archive has no member \"\(wanted)\"") }
        return bytes
    }

    private func open() throws(BastionError) {
        try gzip.open()
        try LibArchive.check(archive_read_support_format_tar(tar), tar)
        let result = archive_read_open(
            tar, Unmanaged.passUnretained(self).toOpaque(), nil,
            { _, context, bytes in
                guard let context else { return -1 }
                return Unmanaged<ArchiveReader>.fromOpaque(context).takeUnretainedValue().supply(bytes)
            }, nil)
        try check(result)
    }

    private func supply(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        do throws(BastionError) {
            bytes?.pointee = UnsafeRawPointer(stream.baseAddress)
            return try gzip.read(stream)
        } catch {
            failure = error
            return -1
        }
    }

    /// - Returns: false at the end of the archive.
    private func member(_ visitor: Visitor) throws(BastionError) -> Bool {
        var entry: OpaquePointer?
        let result = archive_read_next_header(tar, &entry)
        if let failure { throw failure }
        if result == ARCHIVE_EOF { return false }
        try check(result)
        guard let entry else { throw LibArchive.failure(tar) }
        let path = try path(of: entry)
        let size = Int64(archive_entry_size(entry))
        guard archive_entry_size_is_set(entry) != 0, (0...ArchiveMember.limit(path)).contains(size) else {
            throw refused("\"\(path)\" is larger than it can be")
        }
        guard members.count < ArchiveMember.maximumMembers else { throw refused("it has too many members") }
        var hash = Crypto.SHA256()
        var total: Int64 = 0
        while true {
            let count = archive_read_data(tar, piece.baseAddress, piece.count)
            if let failure { throw failure }
            guard count >= 0 else { throw LibArchive.failure(tar) }
            guard count > 0 else { break }
            total += Int64(count)
            guard total <= size else { throw refused("\"\(path)\" is longer than declared") }
            let bytes = UnsafeRawBufferPointer(rebasing: piece[..<count])
            hash.update(bufferPointer: bytes)
            try visitor(path, bytes)
        }
        guard total == size else { throw refused("\"\(path)\" is shorter than declared") }
        members.append(BackupManifest.File(path: path, size: size, sha256: HexDigest.text(hash.finalize())))
        return true
    }

    /// The path below the folder of the archive, when the entry is one the format knows, in its place.
    private func path(of entry: OpaquePointer) throws(BastionError) -> String {
        guard archive_format(tar) == ARCHIVE_FORMAT_TAR_USTAR else { throw refused("an entry is not plain ustar") }
        guard archive_entry_filetype(entry) == pgb_entry_regular, archive_entry_hardlink(entry) == nil,
            archive_entry_symlink(entry) == nil, archive_entry_sparse_count(entry) == 0
        else { throw refused("an entry is not a regular file") }
        guard let raw = archive_entry_pathname(entry) else { throw refused("an entry has no name") }
        let name = String(cString: raw)
        guard name.hasPrefix(ArchiveMember.folder) else { throw refused("an entry is outside of the folder") }
        let path = String(name.dropFirst(ArchiveMember.folder.count))
        guard ArchiveMember.rank(path) != nil else { throw refused("an entry has an unknown name") }
        let isInPlace = members.last.map { ArchiveMember.follows(path, after: $0.path) } ?? (path == ArchiveMember.manifest)
        guard isInPlace else { throw refused("\"\(path)\" is not in its place") }
        return path
    }

    private func finish() throws(BastionError) -> Facts {
        while try gzip.read(stream) > 0 {}
        let hash = try gzip.finish()
        let paths = Set(members.map(\.path))
        for path in ArchiveMember.required where !paths.contains(path) { throw refused("\"\(path)\" is missing") }
        guard paths.count(where: { $0.hasPrefix(ArchiveMember.runbookFolder) }) <= ArchiveMember.maximumRunbooks else {
            throw refused("it has too many runbooks")
        }
        let expected = members.reduce(Int64(1_024)) { $0 + 512 + ($1.size + 511) / 512 * 512 }
        guard gzip.length == expected else { throw refused("\(gzip.length) bytes unpacked, \(expected) expected") }
        return Facts(sha256: hash, members: members)
    }

    private func check(_ result: Int32) throws(BastionError) {
        if let failure { throw failure }
        try LibArchive.check(result, tar)
    }

    private func refused(_ reason: String) -> BastionError {
        BastionError(.integrity, "the backup archive is not what the format allows", detail: reason)
    }
}
