import ClusterModel
import Glibc
import Testing

@testable import BackupArchive

/// F2: archives from a grammar of bad tars are refused in little memory.
@Suite struct HostileArchiveTests {
    private let folder = Folder()

    private func outcome(_ tar: [UInt8]) throws -> ArchiveVerifier.Report { try outcome(gzip: try HostileTar.gzip(tar)) }

    private func outcome(gzip: [UInt8]) throws -> ArchiveVerifier.Report {
        try Fixture.overwrite(folder.file("x.tar.gz"), gzip)
        return try Fixture.verify(folder.file("x.tar.gz"), sealed: nil)
    }

    @Test func `the builder of bad tars makes good ones too`() throws {
        let tar = try HostileTar.members().flatMap { HostileTar.entry($0.path, $0.bytes) } + HostileTar.end
        let report = try outcome(tar)
        #expect(report.outcome == .unsealed, "\(report.findings)")
    }

    @Test func `entries are refused in every place`() throws {
        let members = try HostileTar.members().map { HostileTar.entry($0.path, $0.bytes) }
        let inside = ArchiveMember.folder
        let bad: [(String, [UInt8])] = [
            ("link", HostileTar.entry(inside + "config/pgbastion.yaml", type: "2", link: "/etc/passwd")),
            ("hard link", HostileTar.entry(inside + "config/pgbastion.yaml", type: "1", link: inside + "manifest.json")),
            ("device", HostileTar.entry(inside + "config/pgbastion.yaml", type: "3")),
            ("FIFO", HostileTar.entry(inside + "config/pgbastion.yaml", type: "6")),
            ("folder", HostileTar.entry(inside, type: "5")),
            ("pax", HostileTar.entry("x", Array("12 path=abcd\n".utf8), type: "x")),
            ("global pax", HostileTar.entry("g", Array("12 path=abcd\n".utf8), type: "g")),
            ("GNU name", HostileTar.entry("././@LongLink", Array("abc\u{0}".utf8), type: "L", magic: "ustar  \u{0}")),
            ("GNU", HostileTar.entry(inside + "config/runbooks/c.yaml", magic: "ustar  \u{0}")),
            ("absolute", HostileTar.entry("/etc/passwd", [1])),
            ("up", HostileTar.entry(inside + "../x", [1])),
            ("unknown", HostileTar.entry(inside + "state/other.json", [1])),
            ("upper case", HostileTar.entry(inside + "config/runbooks/A.yaml", [1])),
            ("duplicate", HostileTar.entry(inside + "state/fsm.json", Fixture.state)),
            ("huge", HostileTar.entry(inside + "config/runbooks/c.yaml", [1], declared: 8 << 30 - 1)),
            ("zero block", [UInt8](repeating: 0, count: 512)),
        ]
        for (what, entry) in bad {
            for place in 0...members.count {
                let tar = members[..<place].flatMap { $0 } + entry + members[place...].flatMap { $0 } + HostileTar.end
                #expect(try outcome(tar).failure != nil, "\(what) at \(place)")
            }
        }
    }

    @Test func `members may be neither missing, moved, changed nor followed by anything`() throws {
        let members = try HostileTar.members()
        let blocks = members.map { HostileTar.entry($0.path, $0.bytes) }
        for left in blocks.indices {
            let rest = blocks.indices.filter { $0 != left }.flatMap { blocks[$0] }
            #expect(try outcome(rest + HostileTar.end).failure != nil)
            for right in blocks.indices where right > left {
                var swapped = blocks
                swapped.swapAt(left, right)
                #expect(try outcome(swapped.flatMap { $0 } + HostileTar.end).failure != nil)
            }
            var changed = blocks
            changed[left] = HostileTar.entry(members[left].path, members[left].bytes + [0x20])
            #expect(try outcome(changed.flatMap { $0 } + HostileTar.end).failure != nil)
        }
        let good = blocks.flatMap { $0 }
        for tail in [[], Array(HostileTar.end.prefix(512)), HostileTar.end + HostileTar.end, HostileTar.end + [1]] {
            #expect(try outcome(good + tail).failure != nil)
        }
    }

    @Test func `a second gzip member is refused before and behind`() throws {
        let good = try Fixture.bytes()
        let empty = GzipLayer.header + [3, 0] + [UInt8](repeating: 0, count: 8)
        let stored = GzipLayer.header + [1, 0, 0, 0xff, 0xff] + [UInt8](repeating: 0, count: 8)
        for bytes in [empty + good, stored + good, good + empty, good + good, empty, GzipLayer.header] {
            #expect(try outcome(gzip: bytes).failure != nil)
        }
        #expect(try outcome(gzip: try HostileTar.gzip(good)).failure != nil)
    }

    @Test func `manifests of other versions are unsupported, broken ones are refused`() throws {
        let manifest = String(decoding: try CanonicalJSON.encode(try Fixture.contents().prepared().manifest), as: UTF8.self)
        func code(_ from: String, _ to: String) -> ErrorCode? {
            guard let range = manifest.ranges(of: from).first else { return .internal }
            var text = manifest
            text.replaceSubrange(range, with: to)
            do throws(BastionError) {
                _ = try BackupManifest.read(Array(text.utf8))
                return nil
            } catch { return error.code }
        }
        #expect(code(#""format":"#, #""extra":1,"format":"#) == nil)
        #expect(code(#""format_version":"1.0""#, #""format_version":"1.7""#) == nil)
        #expect(code(#""format_version":"1.0""#, #""format_version":"2.0""#) == .invalidData)
        #expect(code(#""min_reader":"1.0""#, #""min_reader":"1.1""#) == .invalidData)
        #expect(code(#""encryption":null"#, #""encryption":{}"#) == .invalidData)
        #expect(code(#""schema_version":1"#, #""schema_version":99"#) == .invalidData)
        #expect(code(#""previous_id":null,"#, "") == .invalidData)
        #expect(code(#""included":false"#, #""included":true"#) == .integrity)
        #expect(code(#""index":42"#, #""index":43"#) == .integrity)
    }

    @Test func `a bomb is refused in little memory`() throws {
        let bomb = HostileTar.entry(ArchiveMember.folder + "manifest.json", [], declared: 64 << 20)
        let peakBefore = peakKilobytes()
        let packed = try HostileTar.gzip(bomb + [UInt8](repeating: 0x20, count: 1 << 20))
        #expect(try outcome(gzip: packed).failure != nil)
        #expect(peakKilobytes() - peakBefore < 64 << 10)
    }

    private func peakKilobytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
    }
}
