import ClusterModel
import Dispatch
import Glibc

/// SIGTERM and SIGINT end the daemon, SIGHUP reloads, a fatal error of an adapter ends it with that error.
package final class DaemonSignals: Sendable {
    enum Outcome: Sendable {
        case stop
        /// `node restart --daemon`: as a stop; whoever supervises the daemon starts it again.
        case restart(holdMilliseconds: Int64?)
        case fatal(BastionError)
    }
    private enum Event: Sendable {
        case outcome(Outcome)
        case reload
    }

    private let events = AsyncStream.makeStream(of: Event.self)
    private let sources = SignalSources()

    func listen() {
        let continuation = events.continuation
        sources.add(SIGTERM) { continuation.yield(.outcome(.stop)) }
        sources.add(SIGINT) { continuation.yield(.outcome(.stop)) }
        sources.add(SIGHUP) { continuation.yield(.reload) }
        signal(SIGPIPE, SIG_IGN)
    }

    func fail(_ error: BastionError) { events.continuation.yield(.outcome(.fatal(error))) }

    /// Ends the daemon as a signal would; for a daemon inside a test.
    package func stop() { events.continuation.yield(.outcome(.stop)) }

    /// Limit: a moment, so that whoever asked gets the answer before the sockets close.
    func restart(holdSeconds: Double?) {
        let continuation = events.continuation
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(200)) {
            continuation.yield(.outcome(.restart(holdMilliseconds: holdSeconds.map { Int64($0 * 1000) })))
        }
    }

    func wait(onReload: () -> Void) async -> Outcome {
        for await event in events.stream {
            switch event {
            case .outcome(let outcome): return outcome
            case .reload: onReload()
            }
        }
        return .stop
    }
}

/// Keeps the dispatch sources alive.
private final class SignalSources: @unchecked Sendable {
    private let queue = DispatchQueue(label: "pgbastion.signals")
    private var sources: [any DispatchSourceSignal] = []

    func add(_ number: Int32, _ handler: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: handler)
        source.resume()
        queue.sync { sources.append(source) }
    }
}
