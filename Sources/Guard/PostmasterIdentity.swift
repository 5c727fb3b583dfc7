import CLinux
import ClusterModel
import FailoverCore
import Glibc

/// Who a postmaster is, by its pid file and `/proc`. A pid file alone proves nothing (D61).
///
/// - Source: PostgreSQL manual, "Database File Layout", `postmaster.pid`: process id, data directory, start time, port.
enum PostmasterIdentity {
    /// How far the start time in the pid file may be from the one the kernel knows.
    static let tolerance: Int64 = 3

    struct PidFile {
        var pid: Int32
        var startedAt: Int64
        var port: Int

        init?(dataDirectory: String) {
            guard let text = SmallFile.text(dataDirectory + "/postmaster.pid") else { return nil }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
            guard lines.count >= 4, let pid = Int32(lines[0]), let started = Int64(lines[2]), let port = Int(lines[3]), pid > 0
            else { return nil }
            self.pid = pid
            startedAt = started
            self.port = port
        }
    }

    /// What does not fit; nil when the process is the postmaster that is asked for.
    static func mismatch(with request: AdoptionRequest) -> String? {
        let pid = request.pid
        guard let file = PidFile(dataDirectory: request.dataDirectory) else {
            return "\"\(request.dataDirectory)/postmaster.pid\" cannot be read"
        }
        guard file.pid == pid else { return "the pid file names process \(file.pid), not \(pid)" }
        guard let started = startTime(of: pid) else { return "process \(pid) does not exist" }
        guard (started - file.startedAt).magnitude <= tolerance.magnitude else {
            return "process \(pid) started \((started - file.startedAt).magnitude) s away from the time in the pid file"
        }
        let program = ServerProcesses.canonical(request.program)
        let runs = link(pid, "exe")
        guard runs == program else { return "process \(pid) runs \"\(runs ?? "nothing readable")\", not \"\(program)\"" }
        let directory = ServerProcesses.canonical(request.dataDirectory)
        let works = link(pid, "cwd")
        guard works == directory else {
            return "process \(pid) works in \"\(works ?? "nothing readable")\", not in \"\(directory)\""
        }
        guard file.port == request.port else {
            return "process \(pid) uses port \(file.port), the configuration says \(request.port)"
        }
        return nil
    }

    /// The living postmaster of a data directory, and what its files say of it.
    static func stranger(in dataDirectory: String) -> StrangerServer? {
        guard let file = PidFile(dataDirectory: dataDirectory), link(file.pid, "cwd") == dataDirectory,
            let started = startTime(of: file.pid)
        else { return nil }
        let control = ControlBytes(dataDirectory: dataDirectory)
        let hasSignal = access(dataDirectory + "/standby.signal", F_OK) == 0
        let age = Int64(time(nil)) - started
        return StrangerServer(
            pid: file.pid, mayBeWritable: mayBeWritable(control, hasStandbySignal: hasSignal, age: age),
            hasStandbySignal: hasSignal, systemIdentifier: control?.systemIdentifier)
    }

    /// With `standby.signal` a server becomes a standby whatever state an earlier crash left in `pg_control`; that
    /// state is of the running server only some seconds later.
    static func mayBeWritable(_ control: ControlBytes?, hasStandbySignal: Bool, age: Int64) -> Bool {
        guard let control else { return !hasStandbySignal }
        if control.state == ControlBytes.inArchiveRecovery { return false }
        return hasStandbySignal ? control.state == ControlBytes.inProduction && age >= 10 : true
    }

    private static func link(_ pid: Int32, _ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/\(pid)/\(name)", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The package was upgraded under the running server: it is still this program.
        return path.hasSuffix(" (deleted)") ? String(path.dropLast(10)) : path
    }

    /// Seconds since 1970, from the boot time and the process's start in clock ticks after it (proc(5)).
    private static func startTime(of pid: Int32) -> Int64? {
        guard let stat = SmallFile.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        guard fields.count > 20, let ticks = Int64(fields[20]) else { return nil }
        let sinceBoot = pgb_clock_boottime_ns() / 1_000_000_000
        return Int64(time(nil)) - sinceBoot + ticks / Int64(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// The first fields of `pg_control`, at the same place in every supported version.
///
/// - Source: PostgreSQL source, `src/include/catalog/pg_control.h`, `ControlFileData` and `DBState`.
struct ControlBytes {
    static let inArchiveRecovery: Int32 = 5
    static let inProduction: Int32 = 6

    var systemIdentifier: UInt64
    var state: Int32

    init?(dataDirectory: String) {
        guard let bytes = SmallFile.bytes(dataDirectory + "/global/pg_control", limit: 20), bytes.count == 20 else { return nil }
        self.init(bytes)
    }

    init(_ bytes: [UInt8]) {
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        systemIdentifier = number(0..<8)
        state = Int32(truncatingIfNeeded: number(16..<20))
    }
}

/// Files of a few kilobytes, read at once; never while a lease has to be watched (D6).
enum SmallFile {
    static func bytes(_ path: String, limit: Int = 4096) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = fread(&bytes, 1, limit, file)
        return Array(bytes[..<count])
    }

    static func text(_ path: String) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }
}
