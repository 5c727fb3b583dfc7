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
    /// It was taken over: it is no child of this process, so its end shows only in its pidfd.
    private(set) var isAdopted = false
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
        setServer(dataDirectory: spec.dataDirectory, program: spec.program)
        // Other processes know this directory by name only; the child starts there, so it is found from its first instant.
        let request = SpawnRequest(
            program: spec.program, arguments: spec.arguments, environment: spec.environment,
            directory: spec.dataDirectory, logFile: spec.logFile, parentDeathSignal: inProcess ? 0 : SIGQUIT)
        let pid = request.withPointer { pgb_spawn($0) }
        guard pid > 0 else { return false }
        postmaster = pid
        pidfd = pgb_pidfd_open(pid)
        isAdopted = false
        return true
    }

    mutating func setServer(dataDirectory path: String, program: String) {
        dataDirectory = Self.canonical(path)
        programName = program.split(separator: "/").last.map { String($0) } ?? "postgres"
    }

    /// Watches a running process as the postmaster; false when it is gone, or the kernel has no pidfd to watch it by.
    mutating func takeCustody(of pid: Int32) -> Bool {
        let descriptor = pgb_pidfd_open(pid)
        guard descriptor >= 0 else { return false }
        postmaster = pid
        pidfd = descriptor
        isAdopted = true
        return true
    }

    /// The adopted postmaster has ended: its pidfd is readable.
    var hasAdoptedEnded: Bool {
        guard isAdopted, pidfd >= 0 else { return false }
        var descriptor = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) == 1
    }

    /// The server that runs in the data directory without having been started or adopted here.
    func stranger() -> StrangerServer? { PostmasterIdentity.stranger(in: dataDirectory) }

    /// Forgets an ended postmaster.
    mutating func forget() {
        if pidfd >= 0 { close(pidfd) }
        pidfd = -1
        postmaster = 0
        isAdopted = false
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
