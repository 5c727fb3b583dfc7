import CLinux
import FailoverCore
import Glibc

/// The postmaster of one data directory and every process that belongs to it, as the guard's kill path sees them.
///
/// No call touches the data directory except `canonical`, which is called before a server runs (D6).
struct ServerProcesses {
    private(set) var dataDirectory: String
    private(set) var postmaster: Int32 = 0
    private(set) var pidfd: Int32 = -1
    private var programName = "postgres"
    private let inProcess: Bool

    init(dataDirectory: String, inProcess: Bool) {
        self.dataDirectory = ServerProcesses.canonical(dataDirectory)
        self.inProcess = inProcess
    }

    /// The path without symbolic links, as `/proc/<pid>/cwd` shows it; unchanged if it does not exist.
    static func canonical(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Starts the postmaster; false when the process could not even be forked.
    mutating func spawn(_ spec: PostmasterSpec) -> Bool {
        dataDirectory = Self.canonical(spec.dataDirectory)
        programName = spec.program.split(separator: "/").last.map { String($0) } ?? "postgres"
        // Other processes know this directory by name only; the child starts there, so it is found from its first instant.
        let request = SpawnRequest(
            program: spec.program, arguments: spec.arguments, environment: spec.environment,
            directory: spec.dataDirectory, logFile: spec.logFile, parentDeathSignal: inProcess ? 0 : SIGQUIT)
        let pid = request.withPointer { pgb_spawn($0) }
        guard pid > 0 else { return false }
        postmaster = pid
        pidfd = pgb_pidfd_open(pid)
        return true
    }

    /// Forgets an ended postmaster.
    mutating func forget() {
        if pidfd >= 0 { close(pidfd) }
        pidfd = -1
        postmaster = 0
    }

    func signal(_ number: Int32) {
        guard postmaster > 0 else { return }
        if pidfd >= 0 { _ = pgb_pidfd_signal(pidfd, number) } else { _ = pgb_kill(postmaster, number) }
    }

    /// The process that writes the `promote` file and then signals, so that a stalled disk never holds the guard;
    /// 0 when there is no server or no process.
    func promote() -> Int32 {
        guard pidfd >= 0 else { return 0 }
        return max(pgb_create_file_then_signal(dataDirectory + "/promote", pidfd, SIGUSR1), 0)
    }

    /// One pass over all processes (LE11): how many belong to the server. `signal` 0 only counts.
    func sweep(signal: Int32, sparePostmaster: Bool = false) -> Int {
        ServerProcesses.sweep(
            dataDirectory: dataDirectory, programName: programName, postmaster: postmaster,
            reaper: inProcess ? 0 : getpid(), signal: signal, sparePostmaster: sparePostmaster)
    }

    static func sweep(
        dataDirectory: String, programName: String = "postgres", postmaster: Int32 = 0, reaper: Int32 = 0,
        signal: Int32, sparePostmaster: Bool = false
    ) -> Int {
        dataDirectory.withCString { directory in
            programName.withCString { program in
                var request = pgb_sweep_request(
                    data_directory: directory, program: program, postmaster: postmaster, reaper: reaper,
                    signal: signal, spare_postmaster: sparePostmaster ? 1 : 0)
                let count = pgb_sweep(&request)
                // Unknown is not none: without /proc nothing is ever confirmed.
                return count < 0 ? 1 : Int(count)
            }
        }
    }
}
