import CLinux
import ClusterModel
import FailoverCore
import Glibc
import Synchronization

/// The daemon's end of the wire to its guard.
///
/// Reports come on a thread of the client's own. After `onDisconnect` the client is of no more use: connect again.
package final class GuardClient: Sendable {
    package let guardProcessID: Int32
    package let incarnation: GuardIncarnation
    package let dataDirectory: String
    /// What the guard was not permitted to do at its start, for `doctor`; empty when all is well.
    package let limitations: [String]

    private let socket: GuardSocket
    /// The guard itself, safe against its number being used anew; -1 when the kernel has no pidfd.
    private let guardPidfd: Int32
    private let state: Mutex<State>

    private struct State {
        var status: GuardStatus
        var isClosed = false
    }

    /// The guard's newest status, from the welcome or the last report.
    package var lastStatus: GuardStatus { state.withLock { $0.status } }

    /// Connects to the guard of `arguments`, and starts one, detached from this process, when none answers.
    ///
    /// - Parameters:
    ///   - program: This product's own binary; it is run as `program guard ...`.
    ///   - logsToFile: The guard logs to `guard.log` in its directory; false: to this process's standard error.
    /// - Throws: `timeout` when no guard answered within `limit`, `precondition_failed` when it refused this daemon.
    package static func connectOrStart(
        program: String, arguments: GuardArguments, logsToFile: Bool = true, within limit: Duration = .seconds(5),
        onReport: @escaping @Sendable (GuardReport) -> Void, onDisconnect: @escaping @Sendable () -> Void
    ) async throws(BastionError) -> GuardClient {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Outcome, Never>) in
            startThread {
                do throws(BastionError) {
                    let client = try connectOrStartBlocking(
                        program: program, arguments: arguments, logsToFile: logsToFile, within: limit,
                        onReport: onReport, onDisconnect: onDisconnect)
                    continuation.resume(returning: .success(client))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private typealias Outcome = Result<GuardClient, BastionError>

    /// As `connectOrStart`, on the calling thread.
    package static func connectOrStartBlocking(
        program: String, arguments: GuardArguments, logsToFile: Bool = true, within limit: Duration = .seconds(5),
        onReport: @escaping @Sendable (GuardReport) -> Void, onDisconnect: @escaping @Sendable () -> Void
    ) throws(BastionError) -> GuardClient {
        let begin = SystemClock.now()
        var isStarted = false
        while true {
            var failure: BastionError
            do throws(BastionError) {
                return try connect(arguments: arguments, onReport: onReport, onDisconnect: onDisconnect)
            } catch {
                failure = error
            }
            if failure.code == .unavailable, !isStarted {
                try start(program: program, arguments: arguments, logsToFile: logsToFile)
                isStarted = true
            }
            if SystemClock.now().since(begin) >= limit {
                if failure.code == .unavailable { failure.code = .timeout }
                throw failure
            }
            _ = usleep(20_000)
        }
    }

    /// Connects to a running guard.
    ///
    /// - Throws: `unavailable` when none listens, `precondition_failed` when it refused this daemon.
    package static func connect(
        arguments: GuardArguments, onReport: @escaping @Sendable (GuardReport) -> Void,
        onDisconnect: @escaping @Sendable () -> Void
    ) throws(BastionError) -> GuardClient {
        let descriptor = pgb_seqpacket_connect(arguments.socketPath)
        guard descriptor >= 0 else {
            throw BastionError(
                .unavailable, "could not connect to the guard at \"\(arguments.socketPath)\"",
                detail: String(cString: strerror(errno)))
        }
        let socket = GuardSocket(descriptor: descriptor)
        let welcome = try shakeHands(socket, arguments)
        let client = GuardClient(socket: socket, welcome: welcome)
        client.startReading(onReport: onReport, onDisconnect: onDisconnect)
        return client
    }

    private init(socket: GuardSocket, welcome: GuardWelcome) {
        self.socket = socket
        guardProcessID = welcome.processID
        incarnation = welcome.status.incarnation
        dataDirectory = welcome.dataDirectory
        limitations = welcome.limitations
        guardPidfd = welcome.processID == getpid() ? -1 : pgb_pidfd_open(welcome.processID)
        state = Mutex(State(status: welcome.status))
    }

    deinit {
        socket.shutDown()
        if guardPidfd >= 0 { Glibc.close(guardPidfd) }
    }

    /// Sends an order; false when the guard is gone. Never waits for the answer, which comes as a report.
    @discardableResult
    package func send(_ order: GuardOrder) -> Bool { socket.send(DaemonMessage.order(order)) }

    /// Ends the connection without `onDisconnect`. The guard and its server stay.
    package func close() {
        state.withLock { $0.isClosed = true }
        socket.shutDown()
    }

    /// What the daemon does with a guard that does not answer (4.7): kill it and end its server as GU1 does.
    ///
    /// The guard's death makes the kernel send SIGQUIT to the postmaster; what is left after `patience` gets SIGKILL.
    /// Blocks the calling thread.
    /// - Returns: Whether no process of the server is left (LE11). False after `limit`: the lease must run out.
    package func takeOver(patience: Duration = .milliseconds(150), within limit: Duration = .seconds(5)) -> Bool {
        close()
        if guardPidfd >= 0 { _ = pgb_pidfd_signal(guardPidfd, SIGKILL) }
        return GuardTakeover.endServer(dataDirectory: dataDirectory, patience: patience, within: limit)
    }

    /// As `takeOver()` for a guard that does not even answer the hello of a new daemon: its process is the one that
    /// listens. Nothing is ended when none listens.
    package static func takeOver(
        unresponsive arguments: GuardArguments, patience: Duration = .milliseconds(150),
        within limit: Duration = .seconds(5)
    ) -> Bool {
        let descriptor = pgb_seqpacket_connect(arguments.socketPath)
        guard descriptor >= 0 else { return false }
        let peer = GuardSocket(descriptor: descriptor).peer()
        guard peer.isSameUser, peer.pid > 0, peer.pid != getpid() else { return false }
        _ = pgb_kill(peer.pid, SIGKILL)
        return GuardTakeover.endServer(dataDirectory: arguments.dataDirectory, patience: patience, within: limit)
    }

    // MARK: The connection

    private static func start(program: String, arguments: GuardArguments, logsToFile: Bool) throws(BastionError) {
        try GuardFiles.prepare(arguments)
        let request = SpawnRequest(
            program: program, arguments: ["guard"] + arguments.commandLine, environment: currentEnvironment(),
            directory: "/", logFile: logsToFile ? arguments.logPath : nil)
        guard request.withPointer({ pgb_detach($0) }) > 0 else {
            throw GuardFiles.failure("could not start the guard")
        }
    }

    private static func currentEnvironment() -> [String] {
        var result: [String] = []
        var next = environ
        while let entry = next.pointee {
            result.append(String(cString: entry))
            next += 1
        }
        return result
    }

    private static func shakeHands(_ socket: GuardSocket, _ arguments: GuardArguments) throws(BastionError)
        -> GuardWelcome
    {
        guard socket.peer().isSameUser else {
            throw BastionError(.preconditionFailed, "the guard runs as another user")
        }
        socket.setReceiveTimeout(seconds: 1)
        let hello = GuardHello(version: GuardWire.version, clusterID: arguments.clusterID, instant: SystemClock.now())
        guard socket.send(DaemonMessage.hello(hello)), case .packet(let bytes) = socket.receive() else {
            throw BastionError(.unavailable, "the guard did not answer the hello")
        }
        let received = SystemClock.now()
        socket.setReceiveTimeout(seconds: 0)
        switch decode(bytes) {
        case .welcome(let welcome):
            guard welcome.version == GuardWire.version, GuardWire.agree(welcome.instant, received) else {
                throw BastionError(.preconditionFailed, "the clocks of daemon and guard differ by more than 50 ms")
            }
            return welcome
        case .rejected(let reason):
            throw BastionError(.preconditionFailed, "the guard refused this daemon", detail: reason)
        case .report, nil:
            throw BastionError(.internal, "the guard's answer to the hello cannot be read")
        }
    }

    private static func decode(_ bytes: [UInt8]) -> GuardMessage? {
        do { return try GuardWire.decode(GuardMessage.self, from: bytes) } catch { return nil }
    }

    private func startReading(
        onReport: @escaping @Sendable (GuardReport) -> Void, onDisconnect: @escaping @Sendable () -> Void
    ) {
        // The thread holds the socket but not the client: a client nobody holds closes its connection.
        startThread { [weak self, socket] in
            while case .packet(let bytes) = socket.receive() {
                guard case .report(let report) = Self.decode(bytes) else { continue }
                self?.state.withLock { $0.status = report.status }
                onReport(report)
            }
            guard let client = self, !client.state.withLock({ $0.isClosed }) else { return }
            onDisconnect()
        }
    }
}
