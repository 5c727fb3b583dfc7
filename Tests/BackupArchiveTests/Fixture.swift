import CLibArchive
import ClusterModel
import Glibc

@testable import BackupArchive

/// Small archives and folders for tests.
enum Fixture {
    static let time = ArchiveTime(seconds: 1_771_293_600)

    static let state = Array(
        ("{" + ArchiveMember.stateKeys.sorted().map { "\"\($0)\":" + ($0 == "schema_version" ? "1" : "null") }.joined(separator: ",")
            + "}").utf8)

    static func contents(index: Int64 = 42, at time: ArchiveTime = time, disagree: [String] = []) -> BackupContents {
        var contents = BackupContents(
            createdAt: time, tool: .init(version: "1.0.0", commit: "abc"), cluster: .init(id: "c1", name: "main", epoch: 1),
            source: .init(node: "node1", role: .leader, mode: .linearizable),
            raft: .init(term: 3, index: index, configIndex: 1, voters: ["node1"], learners: []),
            stateFacts: .init(schemaVersion: 1, agreedBy: ["node1"], disagree: disagree, counts: ["nodes": 1]),
            postgres: .init(systemIdentifier: nil, primary: "node1", timeline: 1), state: .bytes(state),
            membership: Array(#"{"config_index":1,"members":[]}"#.utf8), facts: Array(#"{"nodes":[]}"#.utf8), runs: Array("[]".utf8))
        contents.labels = ["why": "\u{1}\"é/\n\u{7f}"]
        contents.configuration = Array("cluster:\n  name: main # kept\n".utf8)
        contents.runbooks = ["b": Array("b: 1\n".utf8), "a-1": Array("a: 1\n".utf8)]
        return contents
    }

    static func bytes(_ contents: BackupContents = contents()) throws -> [UInt8] { try ArchiveWriter.bytes(of: try contents.prepared()) }

    static let reload: StateReload = { (state) throws(BastionError) in state }

    static func verify(_ path: String, sealed: String?) throws -> ArchiveVerifier.Report {
        try ArchiveVerifier(reload: reload).verify(try ArchiveFile(path: path), sealed: sealed, level: .full)
    }

    static func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        unlink(path)
        try RepositoryFile.create(path) { (descriptor) throws(BastionError) in
            var outcome = Result<Void, BastionError>.success(())
            bytes.withUnsafeBytes { buffer in
                outcome = Result { () throws(BastionError) in try RepositoryFile.write(descriptor, buffer, path) }
            }
            try outcome.get()
        }
    }

    static func repository(
        _ directory: String, passed: @escaping @Sendable (BackupRepository.Step) -> Void = { _ in }
    ) -> BackupRepository { BackupRepository(directory: directory, reload: reload, passed: passed) }

    @discardableResult
    static func create(
        _ repository: BackupRepository, index: Int64, at time: ArchiveTime = time
    ) throws -> BackupRepository.Created {
        let prepared = try contents(index: index, at: time).prepared()
        let lock = try repository.lock()
        return try repository.create(named: prepared.manifest.archiveName, holding: lock, now: time) { (sink) throws(BastionError) in
            try ArchiveWriter.write(prepared, to: sink)
        }
    }
}

/// A folder that goes with the value.
final class Folder {
    let path: String
    init() {
        var template = Array("/tmp/pgbastion-archive-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp/pgbastion-archive"
    }
    deinit { _ = system("rm -rf '\(path)'") }
    func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Tar blocks as an attacker writes them, in a gzip of the right form.
enum HostileTar {
    static func entry(
        _ path: String, _ body: [UInt8] = [], type: Character = "0", declared: Int? = nil, magic: String = "ustar\u{0}00", link: String = ""
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ at: Int) { for (i, byte) in text.utf8.enumerated() { header[at + i] = byte } }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        put(path, 0)
        put("000600 \u{0}000000 \u{0}000000 \u{0}", 100)
        put(octal(declared ?? body.count, 11) + " ", 124)
        put(octal(Int(Fixture.time.seconds), 11) + " ", 136)
        put("        " + String(type) + link, 148)
        put(magic, 257)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + "\u{0} ", 148)
        return header + body + [UInt8](repeating: 0, count: (512 - body.count % 512) % 512)
    }

    static let end = [UInt8](repeating: 0, count: 1_024)

    /// Every member of the fixture, in order.
    static func members() throws -> [(path: String, bytes: [UInt8])] {
        try Fixture.contents().prepared().members.map { member in
            var bytes: [UInt8] = []
            try member.body.forEach { (piece) throws(BastionError) in bytes += piece }
            return (ArchiveMember.folder + member.path, bytes)
        }
    }

    static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let collected = Collected()
        guard let archive = archive_write_new(), let entry = archive_entry_new() else { throw LibArchive.noMemory }
        defer {
            archive_entry_free(entry)
            archive_write_free(archive)
        }
        archive_write_add_filter_gzip(archive)
        archive_write_set_format_raw(archive)
        archive_write_set_options(archive, "gzip:!timestamp,gzip:compression-level=9")
        archive_write_set_bytes_in_last_block(archive, 1)
        let opened = archive_write_open2(
            archive, Unmanaged.passUnretained(collected).toOpaque(), nil,
            { _, context, bytes, count in
                guard let context else { return -1 }
                Unmanaged<Collected>.fromOpaque(context).takeUnretainedValue().bytes += UnsafeRawBufferPointer(start: bytes, count: count)
                return count
            }, nil, nil)
        try LibArchive.check(opened, archive)
        archive_entry_set_filetype(entry, pgb_entry_regular)
        archive_entry_set_pathname(entry, "data")
        try LibArchive.check(archive_write_header(archive, entry), archive)
        guard archive_write_data(archive, bytes, bytes.count) == bytes.count else { throw LibArchive.failure(archive) }
        try LibArchive.check(archive_write_close(archive), archive)
        return collected.bytes
    }

    private final class Collected {
        var bytes: [UInt8] = []
    }
}
