import Bastion
import CLibPQ
import Glibc
import Synchronization

/// Watches during a whole event whether two servers are writable at once (PR1): one session per server over its own unix socket,
/// which asks all the time.
///
/// A server cannot become a standby without a restart, and a restart ends the session. So a session that saw `not in recovery`
/// twice proves that the server was writable from the first answer to the last question. Two such spans of different servers
/// must never overlap.
final class WriterWatch: Sendable {
    struct Span: Sendable {
        var node: String
        var from: ContinuousClock.Instant
        var to: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var spans: [Span] = []
        var samples = 0
        var isStopped = false
        var running = 0
    }

    private let state = Mutex(State())

    init(_ sandbox: Sandbox) {
        for node in sandbox.layout.nodes {
            let connection = sandbox.adminConnection(node)
            state.withLock { $0.running += 1 }
            TestThread { [self] in
                while !isStopped { watch(node.name, connection) }
                state.withLock { $0.running -= 1 }
            }.start()
        }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Ends the watching.
    ///
    /// - Returns: What was seen, as a text per pair of servers that were writable at once; empty when all is well.
    func stop() -> [String] {
        state.withLock { $0.isStopped = true }
        for _ in 0..<1000 where state.withLock({ $0.running > 0 }) { usleep(10_000) }
        let spans = state.withLock { $0.spans }
        var found: [String] = []
        for (index, one) in spans.enumerated() {
            for other in spans[(index + 1)...] where other.node != one.node {
                let overlap = min(one.to, other.to) - max(one.from, other.from)
                guard overlap > .zero else { continue }
                found.append("\(one.node) and \(other.node) were writable together for \(Report.seconds(overlap))")
            }
        }
        return found
    }

    var samples: Int { state.withLock { $0.samples } }

    /// One session, until it ends or the watch is stopped.
    private func watch(_ node: String, _ connection: String) {
        guard let session = PQconnectdb(connection) else { return }
        defer { PQfinish(session) }
        var slot: Int?
        while PQstatus(session) == CONNECTION_OK, !isStopped {
            let asked = ContinuousClock.now
            guard let isWritable = ask(session) else { break }
            let answered = ContinuousClock.now
            state.withLock { s in
                s.samples += 1
                guard isWritable else { return }
                if let slot {
                    s.spans[slot].to = asked
                } else {
                    slot = s.spans.count
                    s.spans.append(Span(node: node, from: answered, to: answered))
                }
            }
            usleep(10_000)
        }
        usleep(20_000)
    }

    private func ask(_ session: OpaquePointer) -> Bool? {
        guard let result = PQexec(session, "SELECT pg_is_in_recovery()") else { return nil }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, let value = PQgetvalue(result, 0, 0) else { return nil }
        return value.pointee == CChar(UInt8(ascii: "f"))
    }
}

/// A thread with a Swift body, for what blocks.
final class TestThread: Sendable {
    private let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<TestThread>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, context)
        pthread_detach(thread)
    }
}
