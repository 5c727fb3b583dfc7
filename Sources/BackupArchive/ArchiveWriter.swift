import CLibArchive
import ClusterModel
import Glibc

/// Takes an archive piece by piece.
package typealias ArchiveSink = (UnsafeRawBufferPointer) throws(BastionError) -> Void

/// Writes ustar in gzip so that equal contents give equal bytes: no clock, no user, no name of the machine.
package enum ArchiveWriter {
    /// Limit: bytes of members that are compressed at level 9, which takes ten times as long as level 3 and saves a seventh.
    static let bestCompressionLimit: Int64 = 32 << 20

    package static func write(_ prepared: BackupContents.Prepared, to sink: @escaping ArchiveSink) throws(BastionError) {
        let members = prepared.members.map { (ArchiveMember.folder + $0.path, $0.body) }
        try write(members, time: prepared.manifest.createdAt, to: sink)
    }

    /// - Parameter members: Paths in the archive, at most 100 bytes each, and what is in them.
    static func write(
        _ members: [(path: String, body: MemberBody)], time: ArchiveTime, to sink: @escaping ArchiveSink
    ) throws(BastionError) {
        guard let archive = archive_write_new() else { throw LibArchive.noMemory }
        defer { archive_write_free(archive) }
        let output = Output(sink)
        do throws(BastionError) {
            let size = members.reduce(Int64(0)) { $0 + $1.body.size }
            try open(archive, output, level: size > bestCompressionLimit ? 3 : 9)
            for member in members { try add(member.path, member.body, time, archive) }
            try LibArchive.check(archive_write_close(archive), archive)
        } catch {
            // Not closed on purpose: closing would write the end of an archive that is not complete.
            archive_write_fail(archive)
            throw output.failure ?? error
        }
        if let failure = output.failure { throw failure }
        withExtendedLifetime(output) {}
    }

    /// The archive as a whole, for small ones and for tests.
    package static func bytes(of prepared: BackupContents.Prepared) throws(BastionError) -> [UInt8] {
        let collected = Collected()
        try write(prepared) { (piece) throws(BastionError) in collected.bytes += Array(piece) }
        return collected.bytes
    }

    private static func open(_ archive: OpaquePointer, _ output: Output, level: Int) throws(BastionError) {
        try LibArchive.check(archive_write_add_filter_gzip(archive), archive)
        try LibArchive.check(archive_write_set_format_ustar(archive), archive)
        try LibArchive.check(archive_write_set_options(archive, "gzip:!timestamp,gzip:compression-level=\(level)"), archive)
        try LibArchive.check(archive_write_set_bytes_in_last_block(archive, 1), archive)
        let result = archive_write_open2(
            archive, Unmanaged.passUnretained(output).toOpaque(), nil,
            { archive, context, bytes, count in
                guard let context else { return -1 }
                let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                guard output.take(UnsafeRawBufferPointer(start: bytes, count: count)) else {
                    pgb_archive_fail(archive, EIO, "the output could not be written")
                    return -1
                }
                return count
            }, nil, nil)
        try LibArchive.check(result, archive)
    }

    private static func add(
        _ path: String, _ body: MemberBody, _ time: ArchiveTime, _ archive: OpaquePointer
    ) throws(BastionError) {
        guard let entry = archive_entry_new() else { throw LibArchive.noMemory }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, path)
        archive_entry_set_size(entry, body.size)
        archive_entry_set_filetype(entry, pgb_entry_regular)
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_uid(entry, 0)
        archive_entry_set_gid(entry, 0)
        archive_entry_set_mtime(entry, time_t(time.seconds), 0)
        try LibArchive.check(archive_write_header(archive, entry), archive)
        try body.forEach { (bytes) throws(BastionError) in
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress.map { $0 + written }, $0.count - written) }
                guard count > 0 else { throw LibArchive.failure(archive) }
                written += count
            }
        }
        try LibArchive.check(archive_write_finish_entry(archive), archive)
    }

    private final class Collected {
        var bytes: [UInt8] = []
    }

    private final class Output {
        private let sink: ArchiveSink
        private var isFirst = true
        private(set) var failure: BastionError?
        init(_ sink: @escaping ArchiveSink) { self.sink = sink }

        func take(_ piece: UnsafeRawBufferPointer) -> Bool {
            guard failure == nil else { return false }
            do throws(BastionError) {
                try sink(isFirst ? try begin(piece) : piece)
                return true
            } catch {
                failure = error
                return false
            }
        }

        /// The library tells the level in the header; archives have one header for all levels.
        private func begin(_ piece: UnsafeRawBufferPointer) throws(BastionError) -> UnsafeRawBufferPointer {
            isFirst = false
            let header = GzipLayer.header
            guard piece.count >= header.count else { throw BastionError(.io, "the first piece of an archive is too short") }
            var outcome = Result<Void, BastionError>.success(())
            header.withUnsafeBytes { bytes in outcome = Result { () throws(BastionError) in try sink(bytes) } }
            try outcome.get()
            return UnsafeRawBufferPointer(rebasing: piece[header.count...])
        }
    }
}
