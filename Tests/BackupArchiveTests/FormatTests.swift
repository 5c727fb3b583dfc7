import ClusterModel
import Glibc
import Testing

@testable import BackupArchive

/// F1, F3: what is written is always the same, the host's tools accept it, and every change is found.
@Suite struct FormatTests {
    private let folder = Folder()
    private var archive: String { folder.file("a.tar.gz") }

    @Test func `equal contents give equal bytes with the fixed header`() throws {
        let bytes = try Fixture.bytes()
        #expect(try Fixture.bytes() == bytes)
        #expect(Array(bytes.prefix(10)) == GzipLayer.header)
        try Fixture.overwrite(archive, bytes)
        let report = try Fixture.verify(archive, sealed: HexDigest.of(bytes))
        #expect(report.outcome == .passed, "\(report.findings)")
        #expect(report.manifest?.labels == Fixture.contents().labels)
        #expect(try Fixture.verify(archive, sealed: nil).outcome == .unsealed)
        let alone = ArchiveVerifier(reload: nil)
        #expect(try alone.verify(try ArchiveFile(path: archive), sealed: nil, level: .full).outcome == .inconclusive)
        #expect(try alone.verify(try ArchiveFile(path: archive), sealed: HexDigest.of(bytes), level: .quick).outcome == .passed)
    }

    @Test func `tar, gzip and sha256sum of the host accept the archive and its lists (F04)`() throws {
        let repository = Fixture.repository(folder.file("r"))
        let created = try Fixture.create(repository, index: 1)
        let steps = [
            "cd '\(folder.file("r"))'", "gzip -t '\(created.name)'", "sha256sum -c --status '\(created.name).sha256'",
            "mkdir x", "tar -C x -xf latest.tar.gz", "cd x/pgbastion-backup", "sha256sum -c --status checksums.sha256",
            "test \"$(ls | wc -l)\" = 6",
        ]
        #expect(system(steps.joined(separator: " && ")) == 0)
    }

    @Test func `a state too large for the best compression has the same header, and the host accepts it`() throws {
        let parts = String(decoding: Fixture.state, as: UTF8.self).split(separator: "\"events\":null")
        let event = "{\"text\":\"\(String(repeating: "checked ", count: 128))\"}"
        let spool = Spool(folder: "/tmp")
        try spool.append(Array("\(parts[0])\"events\":[\(event)".utf8))
        let piece = Array(String(repeating: "," + event, count: 1_000).utf8)
        while spool.size <= ArchiveWriter.bestCompressionLimit { try spool.append(piece) }
        try spool.append(Array("]\(parts[1])".utf8))
        var contents = Fixture.contents()
        contents.state = .spool(spool)
        let bytes = try Fixture.bytes(contents)
        #expect(Array(bytes.prefix(10)) == GzipLayer.header)
        #expect(try Fixture.bytes(contents) == bytes)
        try Fixture.overwrite(archive, bytes)
        #expect(try Fixture.verify(archive, sealed: HexDigest.of(bytes)).outcome == .passed)
        #expect(system("gzip -t '\(archive)' && tar -tzf '\(archive)' >/dev/null") == 0)
    }

    /// Some bits of a gzip stream mean nothing, such as the length of a code that no byte uses: only a sidecar sees them.
    @Test func `every flipped bit is found with a sidecar, and without one no other content is accepted (GD3)`() throws {
        let bytes = try Fixture.bytes()
        let hash = HexDigest.of(bytes)
        try Fixture.overwrite(archive, bytes)
        let members = try ArchiveReader.read(try ArchiveFile(path: archive)) { _, _ in }.members
        for offset in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[offset] ^= 1 << UInt8(bit)
                try Fixture.overwrite(archive, changed)
                let report = try Fixture.verify(archive, sealed: nil)
                #expect(try Fixture.verify(archive, sealed: hash).outcome == .failed)
                guard report.failure == nil else { continue }
                let found = try ArchiveReader.read(try ArchiveFile(path: archive)) { _, _ in }.members
                #expect(found == members, "bit \(bit) of byte \(offset)")
            }
        }
    }

    @Test func `every truncation and every appended tail is found`() throws {
        let bytes = try Fixture.bytes()
        for count in bytes.indices {
            try Fixture.overwrite(archive, Array(bytes.prefix(count)))
            #expect(try Fixture.verify(archive, sealed: nil).failure != nil, "cut to \(count) bytes")
        }
        for count in [1, 2, 7, 8, 9, 100, 1_024] {
            let tails = [[UInt8](repeating: 0, count: count), Array(bytes.suffix(count)), (0..<count).map { UInt8($0 * 37 % 256) }]
            for tail in tails {
                try Fixture.overwrite(archive, bytes + tail)
                #expect(try Fixture.verify(archive, sealed: nil).failure != nil, "\(count) bytes appended")
            }
        }
    }

    @Test func `contents that cannot be read back are refused before they are written`() throws {
        var contents = Fixture.contents()
        contents.runs = Array("[ ]".utf8)
        #expect(throws: BastionError.self) { try contents.prepared() }
        contents = Fixture.contents()
        contents.runbooks = ["../x": []]
        #expect(throws: BastionError.self) { try contents.prepared() }
        contents = Fixture.contents()
        contents.cluster.name = "../main"
        #expect(throws: BastionError.self) { try contents.prepared() }
    }

    @Test(arguments: [
        "{}", "[]", "null", "0", "-1", "9007199254740991", #"{"a":1,"b":[true,false,null,"x"]}"#, #""\u0001\n\"\\é""#,
    ])
    func `canonical documents pass`(text: String) throws { try CanonicalJSON.check(Array(text.utf8)) }

    @Test(arguments: [
        "", " {}", "{} ", "{}\n", "1.0", "1e3", "-0", "01", "9007199254740992", #"{"b":1,"a":1}"#, #"{"a":1,"a":1}"#, "[1,]", "[1 ,2]",
        "{\"a\":1,}", #""\u0041""#, #""\/""#, #""\u000a""#, #""\u001F""#, "\"\u{1}\"", "tru", "nul1", "[", "[}", "\"", "--1", "-",
    ])
    func `other documents are refused`(text: String) {
        #expect(throws: BastionError.self) { try CanonicalJSON.check(Array(text.utf8)) }
    }

    @Test func `broken UTF-8 and deep nesting are refused`() {
        for bad: [UInt8] in [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]] {
            #expect(throws: BastionError.self) { try CanonicalJSON.check([0x22] + bad + [0x22]) }
        }
        #expect(throws: BastionError.self) { try CanonicalJSON.check([UInt8](repeating: 0x5b, count: 100_000)) }
    }
}
