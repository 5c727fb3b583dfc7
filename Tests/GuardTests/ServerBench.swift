import CLinux
import ClusterModel
import FailoverCore
import Glibc
import Synchronization
import Testing

@testable import Guard

/// A real PostgreSQL data directory in a directory of its own, and a guard on a thread of this process.
///
/// PostgreSQL refuses to run as root; then every program of it is run as user `postgres`.
final class ServerBench: Sendable {
    static let port = "5432"
    let root: String
    let arguments: GuardArguments
    private let terminator = GuardTerminator()
    private let guardEnded = Mutex(false)
    private let observer = Observer()

    /// What the client's callbacks saw.
    final class Observer: Sendable {
        let reports = Mutex<[GuardReport]>([])
        let disconnects = Mutex(0)
    }

    var dataDirectory: String { root + "/data" }
    var reports: [GuardReport] { observer.reports.withLock { $0 } }
    var disconnects: Int { observer.disconnects.withLock { $0 } }
    var status: GuardStatus? { reports.last?.status }
    var hasGuardEnded: Bool { guardEnded.withLock { $0 } }

    init(withDatabase: Bool = true, idleLimit: Duration = .seconds(60), clusterID: ClusterID? = nil) throws {
        root = try Programs.makeDirectory()
        arguments = GuardArguments(
            stateDirectory: root + "/state", runDirectory: root + "/run", dataDirectory: root + "/data",
            clusterID: clusterID, inProcess: true, idleLimit: idleLimit)
        if withDatabase {
            try Programs.run("/bin/cp", ["-a", Programs.template.get(), root + "/data"])
        } else {
            try Programs.run("/bin/mkdir", [root + "/data"])
        }
        startGuard()
    }

    func startGuard() {
        guardEnded.withLock { $0 = false }
        startThread { [self] in
            do {
                try GuardProcess.runInProcess(arguments: arguments, terminator: terminator)
            } catch {
                Issue.record("the guard ended with \(error)")
            }
            guardEnded.withLock { $0 = true }
        }
    }

    func connect() throws -> GuardClient {
        let observer = observer
        return try GuardClient.connectOrStartBlocking(
            program: "/bin/false", arguments: arguments,
            onReport: { report in observer.reports.withLock { $0.append(report) } },
            onDisconnect: { observer.disconnects.withLock { $0 += 1 } })
    }

    func terminate() { terminator.raise() }

    /// Ends what the test left: the guard, then the server if there is still one.
    func cleanUp() {
        terminator.raise()
        #expect(waitUntil(.seconds(40)) { self.hasGuardEnded })
        #expect(GuardTakeover.endServer(dataDirectory: dataDirectory, patience: .zero))
        do { try Programs.run("/bin/rm", ["-rf", root]) } catch { Issue.record("could not remove \(root)") }
    }

    // MARK: The server

    var spec: PostmasterSpec {
        let settings = [
            "-D", dataDirectory, "-c", "listen_addresses=", "-c", "port=\(Self.port)",
            "-c", "unix_socket_directories=\(root)", "-c", "restart_after_crash=off", "-c", "fsync=off",
        ]
        let command = Programs.asServerUser(Programs.postgres("postgres"), settings)
        return PostmasterSpec(
            program: command.program, arguments: command.arguments, environment: Programs.environment,
            dataDirectory: dataDirectory, logFile: root + "/server.log")
    }

    func writeStandbySignal() throws { try Programs.runAsServerUser("/bin/touch", [dataDirectory + "/standby.signal"]) }

    /// The answer of one statement; nil while the server does not accept it.
    func query(_ statement: String) -> String? {
        do {
            return try Programs.runAsServerUser(
                Programs.postgres("psql"),
                ["-h", root, "-p", Self.port, "-XAtq", "-d", "postgres", "-c", statement])
        } catch {
            return nil
        }
    }

    /// A session of its own that is busy until its server ends it. The caller waits for the process.
    func startBusySession() -> Int32 {
        let command = Programs.asServerUser(
            Programs.postgres("psql"),
            [
                "-h", root, "-p", Self.port, "-XAtq", "-d", "postgres", "-c",
                "select count(*) from generate_series(1, 1e12::bigint)",
            ])
        return SpawnRequest(
            program: command.program, arguments: command.arguments, environment: Programs.environment, directory: "/",
            logFile: "/dev/null"
        ).withPointer { pgb_spawn($0) }
    }

    /// Processes of this server that are alive now.
    func countProcesses() -> Int {
        ServerProcesses.sweep(
            dataDirectory: ServerProcesses.canonical(dataDirectory), programName: "setpriv", signal: 0)
    }

    /// A server promoted under token 1 with a lease of `milliseconds` counted from the returned instant.
    func startPrimary(_ client: GuardClient, milliseconds: Int64) throws -> ClockStamp {
        try writeStandbySignal()
        #expect(waitUntil { client.send(.status) && client.lastStatus.allProcessesGone })
        client.send(.startStandby(spec))
        #expect(waitUntil(.seconds(20)) { self.query("select pg_is_in_recovery()") == "t" })
        let requestedAt = SystemClock.now()
        client.send(
            .arm(token: FencingToken(1), requestedAt: requestedAt, durationMilliseconds: milliseconds, mode: .timed))
        client.send(.promote(token: FencingToken(1)))
        #expect(waitUntil(.seconds(20)) { self.query("select pg_is_in_recovery()") == "f" })
        return requestedAt
    }
}

/// Waits for a condition; false when it did not come true in time.
func waitUntil(_ limit: Duration = .seconds(5), _ condition: () -> Bool) -> Bool {
    let begin = SystemClock.now()
    while !condition() {
        if SystemClock.now().since(begin) > limit { return false }
        _ = usleep(5000)
    }
    return true
}
