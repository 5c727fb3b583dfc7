import ClusterModel
import FoundationEssentials
import Glibc
import Testing

@testable import BackupArchive

/// Section 5 of the performance contract on a synthetic state: `PGBASTION_BENCHMARK_BYTES` says how large (`make bench-backup`).
@Suite(.enabled(if: getenv("PGBASTION_BENCHMARK_BYTES") != nil)) struct BackupBenchmark {
    private let folder = Folder()

    @Test func `a large state: archive and full verification beside the guide's script`() throws {
        let bytes = getenv("PGBASTION_BENCHMARK_BYTES").flatMap { Int64(String(cString: $0)) } ?? 1 << 30
        let directory = folder.file("large")
        #expect(mkdir(directory, 0o700) == 0)
        let state = try synthetic(bytes, directory)
        let archive = directory + "/archive.tar.gz"
        let stored = try timed {
            var contents = Fixture.contents()
            contents.state = .spool(state)
            let prepared = try contents.prepared()
            try RepositoryFile.create(archive) { (descriptor) throws(BastionError) in
                try ArchiveWriter.write(prepared) { (piece) throws(BastionError) in
                    try RepositoryFile.write(descriptor, piece, archive)
                }
            }
        }
        let verified = try timed {
            let report = try ArchiveVerifier(reload: Fixture.reload).verify(try ArchiveFile(path: archive), sealed: nil, level: .full)
            #expect(report.outcome == .unsealed)
        }
        let peak = try peakKibibytes()
        let raw = directory + "/raft/state"
        #expect(mkdir(directory + "/raft", 0o700) == 0)
        try RepositoryFile.create(raw) { (descriptor) throws(BastionError) in
            try state.forEach { (piece) throws(BastionError) in
                var outcome = Result<Void, BastionError>.success(())
                piece.withUnsafeBytes { bytes in
                    outcome = Result { () throws(BastionError) in try RepositoryFile.write(descriptor, bytes, raw) }
                }
                try outcome.get()
            }
        }
        let script = "cd '\(directory)' && cp -a raft copy && (cd copy && sha256sum -b * > checksums.sha256) && tar -czf copy.tar.gz copy"
        let guide = try timed { #expect(system(script) == 0) }
        let size = try ArchiveFile(path: archive).size
        let line =
            "state of \(bytes >> 20) MiB: guide \(guide); archive \(stored), verify \(verified) "
            + "(\(rate(bytes, verified.processor)) MB of state a second of processor time), "
            + "archive and verify \(ratio(stored.wall + verified.wall, guide.wall)) x the guide, "
            + "\(size) bytes, peak \(peak >> 10) MiB\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
    }

    /// Milliseconds on the clock, and of this process and its ended children on a processor.
    private struct Cost: CustomStringConvertible {
        var wall: Int
        var processor: Int
        var description: String { "\(wall) ms (processor \(processor) ms)" }
    }

    private func timed(_ body: () throws -> Void) throws -> Cost {
        let begin = ContinuousClock.now
        let before = processorTime()
        try body()
        let elapsed = (ContinuousClock.now - begin).components
        return Cost(
            wall: Int(elapsed.seconds) * 1000 + Int(elapsed.attoseconds / 1_000_000_000_000_000), processor: processorTime() - before)
    }

    private func processorTime() -> Int {
        [RUSAGE_SELF, RUSAGE_CHILDREN].reduce(0) { sum, who in
            var usage = rusage()
            getrusage(__rusage_who_t(who.rawValue), &usage)
            return [usage.ru_utime, usage.ru_stime].reduce(sum) { $0 + $1.tv_sec * 1000 + $1.tv_usec / 1000 }
        }
    }

    private func rate(_ bytes: Int64, _ milliseconds: Int) -> Int64 { bytes / 1000 / Int64(max(1, milliseconds)) }

    private func ratio(_ ours: Int, _ theirs: Int) -> Double { Double(ours * 100 / max(1, theirs)) / 100 }

    private func peakKibibytes() throws -> Int {
        var usage = rusage()
        #expect(getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0)
        return usage.ru_maxrss
    }

    /// History entries of about 107 bytes, as a decision record has them.
    private func synthetic(_ bytes: Int64, _ directory: String) throws -> Spool {
        let spool = Spool(folder: directory)
        let parts = String(decoding: Fixture.state, as: UTF8.self).split(separator: "\"events\":null")
        try spool.append(Array("\(parts[0])\"events\":[".utf8))
        var piece = ""
        var number: UInt64 = 0
        while spool.size < bytes {
            piece = ""
            for _ in 0..<5_000 {
                number += 1
                let mixed = number &* 0x9E37_79B9_7F4A_7C15
                piece +=
                    "\(number == 1 ? "" : ","){\"at\":\(1_771_293_600_000 + number),\"hash\":\"\(String(mixed, radix: 16))\",\"kind\":\"health\",\"node\":\"node\(number % 3 + 1)\",\"text\":\"checked\"}"
            }
            try spool.append(Array(piece.utf8))
        }
        try spool.append(Array("]\(parts[1])".utf8))
        return spool
    }
}
