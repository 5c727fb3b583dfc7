import Glibc
import RaftCore

@testable import RaftIO

/// A directory of one test, removed with everything in it when the value goes away.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/raftio-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXFailure(number: errno) }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    struct POSIXFailure: Error { var number: Int32 }

    deinit { remove(path) }

    /// A copy of `name` as another name: what a crash at this moment would leave.
    func copy(_ name: String, to other: String) throws { try copyTree("\(path)/\(name)", "\(path)/\(other)") }

    private func copyTree(_ from: String, _ to: String) throws {
        guard isDirectory(from) else {
            try plainWrite(try DurableFile.read(from, limit: .max) ?? [], to: to)
            return
        }
        try DurableFile.createDirectory(to)
        for name in try DurableFile.names(in: from) where name != "reserve" {
            try copyTree("\(from)/\(name)", "\(to)/\(name)")
        }
    }

    func remove(_ path: String) {
        if isDirectory(path) {
            do { for name in try DurableFile.names(in: path) { remove("\(path)/\(name)") } } catch {}
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}

/// Without fsync: thousands of copies in one test need none.
func plainWrite(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TemporaryDirectory.POSIXFailure(number: errno) }
    defer { close(descriptor) }
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
        throw TemporaryDirectory.POSIXFailure(number: errno)
    }
}

/// Numbers that are the same in every run of a test.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

func entries(_ range: ClosedRange<UInt64>, term: UInt64 = 1, bytes: Int = 20) -> [LogEntry] {
    range.map { index in
        LogEntry(
            index: LogIndex(index), term: Term(term),
            payload: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes))
    }
}

func snapshot(_ index: UInt64, term: UInt64 = 1, bytes: Int = 100) -> Snapshot {
    Snapshot(
        index: LogIndex(index), term: Term(term),
        membership: Membership(voters: [ServerID(1), ServerID(2)], learners: [ServerID(3)]),
        data: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes))
}
