import Glibc

/// A child process of the test, known by its pid.
package struct TestProcess: Sendable, Hashable {
    package let pid: pid_t

    /// Starts a program without a shell; output is appended to `logFile` or discarded.
    package static func start(_ command: [String], environment: [String] = [], logFile: String? = nil) -> TestProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let output = logFile ?? "/dev/null"
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A server must not keep the pipes open by which somebody waits for this process.
        for descriptor in Int32(3)..<512 where fcntl(descriptor, F_GETFD) == 0 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A server of its own group does not get the terminal's Ctrl-C; signals blocked here are not blocked there.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        let variables = environment.isEmpty ? ["PATH=/usr/bin:/bin", "LC_ALL=C"] : environment
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var values: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + values { free(text) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &values)
        guard result == 0 else { fatalError("could not start \(command[0]): \(String(cString: strerror(result)))") }
        return TestProcess(pid: pid)
    }

    /// Runs a program to its end.
    ///
    /// - Returns: Its exit status; 128 + n when signal n ended it.
    package static func run(_ command: [String], environment: [String] = [], logFile: String? = nil) -> Int32 {
        start(command, environment: environment, logFile: logFile).waitForExit(within: .seconds(60)) ?? -1
    }

    package func send(_ signal: Int32) { kill(pid, signal) }

    /// nil when the process still runs after `limit`.
    package func waitForExit(within limit: Duration = .seconds(10)) -> Int32? {
        let end = ContinuousClock.now + limit
        while true {
            var status: Int32 = 0
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid { return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f) }
            if result < 0 || ContinuousClock.now > end { return nil }
            poll(nil, 0, 5)
        }
    }
}
