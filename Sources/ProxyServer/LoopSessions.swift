import ClusterModel
import NIOCore

/// The sessions of one event loop.
final class LoopSessions {
    private let loop: any EventLoop
    private let surroundings: SessionSurroundings
    private var sessions: [ObjectIdentifier: Session] = [:]
    private var liveness: Scheduled<Void>?
    private var emptied: EventLoopPromise<Void>?

    init(loop: any EventLoop, surroundings: SessionSurroundings) {
        self.loop = loop
        self.surroundings = surroundings
    }

    /// Takes a client that has just been accepted; a stopped proxy closes it.
    func add(_ channel: any Channel, port: PortType) throws {
        guard emptied == nil else { return channel.close(promise: nil) }
        let session = Session(surroundings: surroundings, port: port, loop: loop)
        try channel.pipeline.syncOperations.addHandler(SessionHandler(.client, session))
        let id = ObjectIdentifier(session)
        sessions[id] = session
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.remove(id) }
        watch()
    }

    private func remove(_ id: ObjectIdentifier) {
        sessions[id] = nil
        if sessions.isEmpty { emptied?.succeed(()) }
    }

    func tableChanged() {
        for session in sessions.values { session.tableChanged() }
    }

    /// The end of a drain's patience.
    func cutDrained(_ node: NodeName) {
        for session in sessions.values where session.target?.backend.node == node {
            session.cut(.drain, .draining("server \"\(node)\" is drained and the time to end sessions is over"))
        }
    }

    /// Ends every session; the future succeeds when the last socket is closed.
    func stop() -> EventLoopFuture<Void> {
        liveness?.cancel()
        let promise = emptied ?? loop.makePromise(of: Void.self)
        let isFirst = emptied == nil
        emptied = promise
        if isFirst && sessions.isEmpty { promise.succeed(()) }
        for session in sessions.values { session.stop() }
        return promise.futureResult
    }

    /// The most bytes that wait in one direction of one session.
    func largestBuffer() -> Int {
        sessions.values.map(\.largestBuffer).max() ?? 0
    }

    // MARK: dead servers

    /// Looks for servers that no longer acknowledge, a third of the limit apart, while there are sessions.
    private func watch() {
        guard liveness == nil, emptied == nil, !sessions.isEmpty else { return }
        let interval = TimeAmount(surroundings.settings.deadServerAfter / 3)
        liveness = loop.assumeIsolated().scheduleTask(in: interval) {
            self.liveness = nil
            for session in self.sessions.values { session.checkServer() }
            self.watch()
        }
    }
}
