import ClusterModel
import Dispatch
import FailoverCore
import Glibc
import Guard
import NodeCore
import PostgresControl

/// The daemon's end of its guard: keeps a guard running, passes orders on, notices one that does not answer (4.7).
///
/// - Safety: everything mutable is touched on `queue` only.
package final class GuardLink: @unchecked Sendable {
    /// Limit: below a lease, so that a guard that is frozen while the daemon starts is replaced before its deadline.
    private static let connectLimit = Duration.milliseconds(1500)
    private let queue = DispatchQueue(label: "pgbastion.guard", qos: .userInteractive)
    private let program: String
    private var arguments: GuardArguments
    private let server: PostgresServer
    private let submit: @Sendable (NodeInput) -> Void
    private let onEvent: @Sendable (NodeEvent) -> Void
    private let onChange: @Sendable () -> Void
    private var client: GuardClient?
    private var status: GuardStatus?
    /// Pings since the last report, counted in this daemon's own ticks: one that was itself frozen asks anew.
    private var unansweredPings = 0
    private var timer: (any DispatchSourceTimer)?
    private var isConnecting = false
    private var isStopped = false
    private var isStarting = false
    private let gate = LeaseGate()

    /// Bytes of this node's primary may pass to clients (4.10).
    package var isBeforeDeadline: Bool { gate.isOpen(at: SystemClock.now()) }

    package init(
        program: String, arguments: GuardArguments, server: PostgresServer,
        submit: @escaping @Sendable (NodeInput) -> Void, onEvent: @escaping @Sendable (NodeEvent) -> Void,
        onChange: @escaping @Sendable () -> Void
    ) {
        self.program = program
        self.arguments = arguments
        self.server = server
        self.submit = submit
        self.onEvent = onEvent
        self.onChange = onChange
    }

    package func start() {
        queue.async {
            self.connect()
            let timer = DispatchSource.makeTimerSource(queue: self.queue)
            timer.schedule(deadline: .now(), repeating: .milliseconds(100), leeway: .milliseconds(10))
            timer.setEventHandler { [weak self] in self?.watch() }
            self.timer = timer
            timer.resume()
        }
    }

    /// The guard and its server stay; only the connection ends.
    package func stop() {
        queue.sync {
            isStopped = true
            timer?.cancel()
            client?.close()
            client = nil
        }
    }

    /// Tokens count per cluster (4.7): a node that joins tells its guard which one it is.
    package func setCluster(_ cluster: ClusterID) {
        queue.async {
            guard self.arguments.clusterID != cluster else { return }
            self.arguments.clusterID = cluster
            self.client?.close()
            self.client = nil
            self.connect()
        }
    }

    /// The server the guard owns, as it last reported.
    package var guardedPostmaster: Int32? { queue.sync { status?.postmasterPID } }

    package func order(_ order: GuardOrder) { queue.async { _ = self.client?.send(order) } }

    package func startServer(inPlace token: FencingToken?) {
        queue.async {
            guard !self.isStarting else { return }
            self.isStarting = true
            let server = self.server
            Task {
                do throws(BastionError) {
                    let command = try await server.postmasterCommand(asStandby: token == nil)
                    let spec = PostmasterSpec(
                        program: command.program, arguments: command.arguments, environment: command.environment,
                        dataDirectory: command.dataDirectory, logFile: command.logFile)
                    self.started(token.map { .startInPlace(spec, token: $0) } ?? .startStandby(spec))
                } catch {
                    self.started(nil)
                    self.onEvent(NodeEvent(.warning, "postgres.start_failed", error.message, ["detail": error.detail ?? ""]))
                }
            }
        }
    }

    /// The running server is taken over by the guard, which verifies it (D61). Its configuration is learnt first: the files
    /// it runs with are those of its next start (AG17).
    package func adoptServer(as role: AdoptionRequest.Role) {
        queue.async {
            guard !self.isStarting else { return }
            self.isStarting = true
            let server = self.server
            Task {
                do throws(BastionError) {
                    let running = try await server.runningServer()
                    self.started(
                        .adopt(
                            AdoptionRequest(
                                role: role, pid: running.processID, program: running.program,
                                dataDirectory: running.dataDirectory, port: running.port)))
                } catch {
                    self.started(nil)
                    self.onEvent(NodeEvent(.warning, "postgres.adopt_failed", error.message, ["detail": error.detail ?? ""]))
                }
            }
        }
    }

    private func started(_ order: GuardOrder?) {
        queue.async {
            self.isStarting = false
            if let order { _ = self.client?.send(order) }
        }
    }

    // MARK: Connection

    private func connect() {
        guard client == nil, !isConnecting, !isStopped else { return }
        isConnecting = true
        let (program, arguments) = (program, arguments)
        Task {
            let result = await self.connectOrStart(program, arguments)
            self.queue.async { self.connected(result) }
        }
    }

    private func connectOrStart(_ program: String, _ arguments: GuardArguments) async -> Result<GuardClient, BastionError> {
        do throws(BastionError) {
            return .success(
                try await GuardClient.connectOrStart(
                    program: program, arguments: arguments, within: GuardLink.connectLimit,
                    onReport: { [weak self] in self?.received($0) },
                    onDisconnect: { [weak self] in self?.disconnected() }))
        } catch {
            return .failure(error)
        }
    }

    private func connected(_ result: Result<GuardClient, BastionError>) {
        isConnecting = false
        switch result {
        case .success(let client):
            guard !isStopped else { return client.close() }
            self.client = client
            note(.status(client.lastStatus))
            if !client.limitations.isEmpty {
                onEvent(NodeEvent(.debug, "guard.limited", "the guard runs with limits: \(client.limitations.joined(separator: ", "))"))
            }
        case .failure(let error):
            onEvent(NodeEvent(.error, "guard.unreachable", error.message, ["detail": error.detail ?? ""]))
            if error.code == .timeout { replaceUnresponsive() } else { retryLater() }
        }
    }

    private func retryLater() {
        queue.asyncAfter(deadline: .now() + .milliseconds(500)) { self.connect() }
    }

    private func received(_ report: GuardReport) {
        queue.async { self.note(report) }
    }

    private func note(_ report: GuardReport) {
        unansweredPings = 0
        let before = status
        status = report.status
        gate.note(report.status)
        submit(.guardReported(report))
        if before?.postmasterPID != status?.postmasterPID || before?.state != status?.state { onChange() }
    }

    /// The guard died: the kernel has sent SIGQUIT to its server; what is left is swept before a new guard starts (4.7).
    private func disconnected() {
        queue.async {
            guard !self.isStopped else { return }
            let guardPID = self.client?.guardProcessID
            self.client = nil
            if let guardPID, kill(guardPID, 0) == 0 {
                // Only the connection ended: the guard and its server live.
                self.onEvent(NodeEvent(.warning, "guard.reconnect", "the connection to the guard ended; connecting again"))
                return self.connect()
            }
            self.status = nil
            self.submit(.guardLost)
            self.onEvent(NodeEvent(.error, "guard.lost", "the guard ended; its server is being swept"))
            self.sweepThenConnect { GuardTakeover.endServer(dataDirectory: $0.dataDirectory) }
        }
    }

    private func sweepThenConnect(_ sweep: @escaping @Sendable (GuardArguments) -> Bool) {
        let arguments = arguments
        DispatchQueue.global().async {
            let isGone = sweep(arguments)
            self.queue.async {
                if !isGone {
                    self.onEvent(NodeEvent(.error, "guard.sweep_failed", "processes of the server could not be ended"))
                    return self.retryLater()
                }
                self.connect()
            }
        }
    }

    private func replaceUnresponsive() {
        sweepThenConnect { GuardClient.takeOver(unresponsive: $0) }
    }

    // MARK: A frozen guard

    /// While a lease is held the guard is asked every 100 ms; one that is silent at `fenceAt` is killed with its server.
    private func watch() {
        guard let client, let status, status.token != nil, let deadline = status.deadline else { return }
        client.send(.ping)
        unansweredPings += 1
        // 4.7: three pings without an answer; then the lease is not renewed any more, and ends.
        guard unansweredPings > 3 else { return }
        let fenceAt = deadline.advanced(by: .milliseconds(-500))
        guard SystemClock.now().raw >= fenceAt.raw else { return }
        onEvent(NodeEvent(.error, "guard.frozen", "the guard does not answer and the lease ends; it is killed with its server"))
        self.client = nil
        self.status = nil
        submit(.guardLost)
        DispatchQueue.global().async {
            let isGone = client.takeOver()
            self.queue.async {
                if !isGone {
                    self.onEvent(NodeEvent(.error, "guard.sweep_failed", "processes of the server could not be ended"))
                }
                self.connect()
            }
        }
    }
}
