import CLibPQ
import ClusterModel
import Glibc
import Synchronization

/// A client that commits one numbered row after another through a proxy, reconnects at once when a session ends, and notes
/// what was acknowledged (performance.md section 1). It carries the demo and the scenario tests.
///
/// A statement that failed after it was sent is unknown, never acknowledged.
package final class CommitProbe: Sendable {
    package struct Window: Sendable {
        /// The longest time between two acknowledged commits, the present wait included.
        package var longestGap: Duration
        package var acknowledged: Int
        package var failures: Int
        package var lastError: String
    }

    fileprivate struct State: Sendable {
        var acknowledged: [Int64] = []
        var failures = 0
        var lastError = ""
        var lastCommit: ContinuousClock.Instant?
        var longestGap = Duration.zero
        var windowStart = 0
        var windowFailures = 0
        var isStopped = false
        var hasEnded = false
        var attempts = 0
        var sessions = 0
    }

    private let connection: String
    private let interval: Duration
    private let state = Mutex(State())
    package static let table = "pgbastion_probe"

    /// - Parameter connection: A libpq keyword string; its password is not printed.
    package init(connection: String, interval: Duration = .milliseconds(5)) {
        self.connection = connection
        self.interval = interval
    }

    package func start() {
        let thread = ProbeThread { [self] in run() }
        thread.start()
    }

    /// Ends the client; returns when its thread has ended or after 10 s.
    package func stop() {
        state.withLock { $0.isStopped = true }
        for _ in 0..<1000 where !state.withLock({ $0.hasEnded }) { _ = usleep(10_000) }
    }

    /// Ids whose commit was acknowledged, in order.
    package var acknowledged: [Int64] { state.withLock { $0.acknowledged } }

    package var commitsSoFar: Int { state.withLock { $0.acknowledged.count } }

    /// Begins a new window: the gap is measured from the last commit before.
    package func beginWindow() {
        state.withLock {
            $0.longestGap = .zero
            $0.windowStart = $0.acknowledged.count
            $0.windowFailures = 0
        }
    }

    package var window: Window {
        state.withLock { s in
            let present = s.lastCommit.map { ContinuousClock.now - $0 } ?? .zero
            return Window(
                longestGap: max(s.longestGap, present), acknowledged: s.acknowledged.count - s.windowStart,
                failures: s.windowFailures, lastError: s.lastError)
        }
    }

    /// The acknowledged rows that a server does not have.
    package func missing(on connection: String) throws(BastionError) -> [Int64] {
        let rows = try SimpleQuery.column("SELECT id FROM \(CommitProbe.table)", on: connection)
        let present = Set(rows.compactMap { Int64($0) })
        return acknowledged.filter { !present.contains($0) }
    }

    // MARK: The client's thread

    private func run() {
        var session: OpaquePointer?
        var next: Int64 = 1
        while !state.withLock({ $0.isStopped }) {
            if session == nil { session = connect() }
            if let open = session {
                if commit(next, open) {
                    state.withLock { $0.noteCommit(next) }
                } else {
                    PQfinish(open)
                    session = nil
                }
                next += 1
            }
            _ = usleep(UInt32(interval.inNanoseconds / 1000))
        }
        if let session { PQfinish(session) }
        state.withLock { $0.hasEnded = true }
    }

    private func connect() -> OpaquePointer? {
        guard let session = PQconnectStart(connection) else { return nil }
        let deadline = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < deadline {
            switch PQconnectPoll(session) {
            case PGRES_POLLING_OK:
                state.withLock { $0.sessions += 1 }
                return session
            case PGRES_POLLING_READING: wait(session, Int16(POLLIN))
            case PGRES_POLLING_WRITING: wait(session, Int16(POLLOUT))
            default:
                fail(session)
                PQfinish(session)
                return nil
            }
        }
        PQfinish(session)
        return nil
    }

    private func commit(_ id: Int64, _ session: OpaquePointer) -> Bool {
        guard PQsendQuery(session, "INSERT INTO \(CommitProbe.table) VALUES (\(id))") == 1 else {
            fail(session)
            return false
        }
        // Limit: longer than any hold; a dead connection is given up.
        let deadline = ContinuousClock.now + .seconds(5)
        while PQisBusy(session) == 1 {
            guard ContinuousClock.now < deadline, !state.withLock({ $0.isStopped }) else { return false }
            wait(session, Int16(POLLIN))
            guard PQconsumeInput(session) == 1 else {
                fail(session)
                return false
            }
        }
        var ok = false
        while let result = PQgetResult(session) {
            ok = PQresultStatus(result) == PGRES_COMMAND_OK
            if !ok { fail(session) }
            PQclear(result)
        }
        return ok
    }

    private func wait(_ session: OpaquePointer, _ events: Int16) {
        var descriptor = pollfd(fd: PQsocket(session), events: events, revents: 0)
        poll(&descriptor, 1, 100)
    }

    private func fail(_ session: OpaquePointer) {
        let text = PQerrorMessage(session).map { String(cString: $0) } ?? ""
        state.withLock {
            $0.failures += 1
            $0.windowFailures += 1
            $0.lastError = text.split(separator: "\n").joined(separator: " ")
        }
    }
}

extension CommitProbe.State {
    fileprivate mutating func noteCommit(_ id: Int64) {
        let now = ContinuousClock.now
        if let lastCommit { longestGap = max(longestGap, now - lastCommit) }
        lastCommit = now
        acknowledged.append(id)
    }
}

/// One statement on a connection of its own, for tests and the demo; blocks the calling thread.
package enum SimpleQuery {
    /// The first column of the result.
    package static func column(_ sql: String, on connection: String) throws(BastionError) -> [String] {
        guard let session = PQconnectdb(connection) else { throw BastionError(.io, "no memory for a connection") }
        defer { PQfinish(session) }
        guard PQstatus(session) == CONNECTION_OK else { throw failure("could not connect", session) }
        guard let result = PQexec(session, sql) else { throw failure("the statement failed", session) }
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else { throw failure("the statement failed", session) }
        return (0..<PQntuples(result)).map { row in PQgetvalue(result, row, 0).map { String(cString: $0) } ?? "" }
    }

    private static func failure(_ what: String, _ session: OpaquePointer) -> BastionError {
        BastionError(.unavailable, what, detail: PQerrorMessage(session).map { String(cString: $0) })
    }
}

/// A thread with a Swift body.
private final class ProbeThread: Sendable {
    private let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<ProbeThread>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, context)
        pthread_detach(thread)
    }
}
