import CLibPQ
import Glibc

/// A real PostgreSQL server on loopback, owned by a test and stopped by its pid.
package final class TestServer {
    package static let binDirectory = "/usr/lib/postgresql/15/bin"

    package let dataDirectory: String
    package let socketDirectory: String
    package let port: Int
    package let logFile: String
    package private(set) var postmaster: TestProcess?

    /// Directories are made by `initialize` or by whoever fills `dataDirectory`.
    package init(in directory: TestDirectory, name: String, port: Int = Loopback.freePort()) {
        dataDirectory = directory.file(name)
        socketDirectory = directory.path
        logFile = directory.file(name + ".log")
        self.port = port
    }

    /// initdb without fsync: a test's data need not survive a crash of the machine.
    package func initialize() {
        let status = TestProcess.run(
            ServiceUser.wrapping([
                TestServer.binDirectory + "/initdb", "-D", dataDirectory, "-U", "postgres", "--auth=trust",
                "--no-sync", "--no-instructions", "--data-checksums", "--locale=C.UTF-8", "--encoding=UTF8",
            ]), logFile: logFile)
        precondition(status == 0, "initdb failed, see \(logFile)")
    }

    /// Starts a server that needs nothing but a data directory.
    package func start(_ settings: [String: String] = [:]) {
        var all = [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": socketDirectory,
            "restart_after_crash": "off", "wal_log_hints": "on", "fsync": "off",
            "dynamic_shared_memory_type": "mmap",
        ]
        for (name, value) in settings { all[name] = value }
        var command = [TestServer.binDirectory + "/postgres", "-D", dataDirectory]
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { command += ["-c", "\(name)=\(value)"] }
        start(command: command, environment: [])
    }

    /// Starts exactly this command, as the guard would.
    package func start(command: [String], environment: [String]) {
        precondition(postmaster == nil, "the server was started already")
        // Owned by us first, so that the server's user can append to it.
        close(open(logFile, O_WRONLY | O_CREAT | O_APPEND, 0o666))
        ServiceUser.own(logFile)
        postmaster = TestProcess.start(ServiceUser.wrapping(command), environment: environment, logFile: logFile)
    }

    /// Whether a session could be opened within `limit`.
    package func accepts(within limit: Duration = .seconds(20)) -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if query("SELECT 1") == "1" { return true }
            poll(nil, 0, 10)
        }
        return false
    }

    /// The first column of the first row of the last statement; nil on any error, and for NULL.
    package func query(_ statement: String) -> String? {
        let text =
            "host=\(socketDirectory) port=\(port) user=postgres dbname=postgres application_name=test connect_timeout=5"
        guard let connection = PQconnectdb(text) else { return nil }
        defer { PQfinish(connection) }
        pgb_ignore_notices(connection)
        guard PQstatus(connection) == CONNECTION_OK, let result = PQexec(connection, statement) else { return nil }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK else {
            return nil
        }
        guard PQntuples(result) > 0, PQgetisnull(result, 0, 0) == 0 else {
            return PQresultStatus(result) == PGRES_COMMAND_OK ? "" : nil
        }
        return String(cString: PQgetvalue(result, 0, 0))
    }

    /// What `pg_ctl promote` does.
    package func promote() {
        close(open(dataDirectory + "/promote", O_WRONLY | O_CREAT, 0o600))
        ServiceUser.own(dataDirectory + "/promote")
        postmaster?.send(SIGUSR1)
    }

    /// Fast stop; after 10 s the server is killed.
    package func stop() { end(with: SIGINT) }

    /// Immediate stop: the next start needs crash recovery.
    package func crash() { end(with: SIGQUIT) }

    /// SIGKILL to the postmaster, then waits until its orphaned backends are gone too.
    package func kill() {
        guard let process = postmaster else { return }
        postmaster = nil
        let children = TestServer.children(of: process.pid)
        process.send(SIGKILL)
        _ = process.waitForExit()
        let end = ContinuousClock.now + .seconds(5)
        for child in children {
            while Glibc.kill(child, 0) == 0 && ContinuousClock.now < end {
                Glibc.kill(child, SIGKILL)
                poll(nil, 0, 5)
            }
        }
    }

    /// Sends a signal to the postmaster and each of its processes, postmaster first.
    package func signalAll(_ signal: Int32) {
        guard let process = postmaster else { return }
        process.send(signal)
        for child in TestServer.children(of: process.pid) { Glibc.kill(child, signal) }
    }

    private func end(with signal: Int32) {
        guard let process = postmaster else { return }
        postmaster = nil
        process.send(signal)
        if process.waitForExit() == nil {
            process.send(SIGKILL)
            _ = process.waitForExit()
        }
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        guard let file = fopen("/proc/\(parent)/task/\(parent)/children", "r") else { return [] }
        defer { fclose(file) }
        var pids: [pid_t] = []
        var pid: pid_t = 0
        while withUnsafeMutablePointer(to: &pid, { withVaList([$0]) { vfscanf(file, "%d", $0) } }) == 1 {
            pids.append(pid)
        }
        return pids
    }
}
