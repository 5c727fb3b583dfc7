import ClusterModel
import Operations
import Synchronization

/// The event stream of one node (X08): one observer of the cluster for all clients, which runs while there is one.
package final class EventFeed: Sendable {
    /// Limit: clients at once.
    package static let maximumClients = 64
    /// Limit: events kept for clients that come back.
    static let ringSize = 256
    /// Limit: events that wait for a slow client; the oldest are dropped, and each says everything.
    private static let clientBuffer = 32

    private struct State {
        var number: UInt64 = 0
        var ring: [(number: UInt64, bytes: [UInt8])] = []
        var clients: [UInt64: AsyncStream<[UInt8]>.Continuation] = [:]
        var nextClient: UInt64 = 0
        var observer: Task<Void, Never>?
        var lastKey: EventKey?
        var lastAt: Double = -.infinity
        var isClosed = false
    }

    private let gateway: any ClusterGateway
    private let state = Mutex(State())
    /// Of this process: numbers start again with it, so an id of another one means nothing here.
    private let life: String
    private let interval: Duration
    private let now: @Sendable () -> Double

    /// - Parameter interval: How often the cluster is looked at while somebody listens.
    package init(
        gateway: any ClusterGateway, interval: Duration = .milliseconds(200), life: String = RequestIDs.random().rawValue,
        now: @escaping @Sendable () -> Double = RateLimiter.monotonicSeconds
    ) {
        self.gateway = gateway
        self.interval = interval
        self.life = life
        self.now = now
    }

    /// Blocks of `text/event-stream`: what was missed since `lastID` as far as it is kept, the present state, then changes.
    ///
    /// - Throws: `busy` when there are too many clients.
    func subscribe(after lastID: String?) async throws(BastionError) -> AsyncStream<[UInt8]> {
        let view = await gateway.view()
        let (stream, continuation) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingNewest(EventFeed.ringSize + EventFeed.clientBuffer))
        let client: UInt64? = state.withLock { state in
            guard !state.isClosed, state.clients.count < EventFeed.maximumClients else { return nil }
            continuation.yield(Array("retry: 2000\n\n".utf8))
            if let known = number(of: lastID), known <= state.number {
                for event in state.ring where event.number > known { continuation.yield(event.bytes) }
            }
            continuation.yield(append(view, &state))
            state.nextClient += 1
            state.clients[state.nextClient] = continuation
            if state.observer == nil { state.observer = Task { await self.observe() } }
            return state.nextClient
        }
        guard let client else {
            throw BastionError(
                .busy, "too many clients listen to events", detail: "This node serves \(EventFeed.maximumClients).")
        }
        continuation.onTermination = { [weak self] _ in self?.leave(client) }
        return stream
    }

    package var clientCount: Int { state.withLock { $0.clients.count } }

    /// Ends every stream, so that a stopping server waits for none.
    func close() {
        let (clients, observer) = state.withLock { state in
            state.isClosed = true
            defer {
                state.clients = [:]
                state.observer = nil
            }
            return (Array(state.clients.values), state.observer)
        }
        observer?.cancel()
        for client in clients { client.finish() }
    }

    private func leave(_ client: UInt64) {
        let observer: Task<Void, Never>? = state.withLock { state in
            state.clients[client] = nil
            guard state.clients.isEmpty else { return nil }
            defer { state.observer = nil }
            return state.observer
        }
        observer?.cancel()
    }

    private func observe() async {
        while !Task.isCancelled {
            let view = await gateway.view()
            let key = EventKey(view)
            state.withLock { state in
                // X08: on change, and at least every 2 s; the repetition is the heartbeat as well.
                guard key != state.lastKey || now() - state.lastAt >= 1.7 else { return }
                let bytes = append(view, &state)
                for client in state.clients.values { client.yield(bytes) }
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    private func append(_ view: ClusterView, _ state: inout State) -> [UInt8] {
        state.number += 1
        state.lastKey = EventKey(view)
        state.lastAt = now()
        let bytes = EventFeed.block(id: "\(life)-\(state.number)", view)
        state.ring.append((state.number, bytes))
        if state.ring.count > EventFeed.ringSize { state.ring.removeFirst() }
        return bytes
    }

    private func number(of id: String?) -> UInt64? {
        guard let id, id.hasPrefix(life + "-") else { return nil }
        return UInt64(id.dropFirst(life.utf8.count + 1))
    }

    /// - Source: WHATWG HTML, section 9.2, server-sent events. JSON has no line ends inside.
    private static func block(id: String, _ view: ClusterView) -> [UInt8] {
        let data: [UInt8]
        do throws(BastionError) { data = try JSONText.encode(ClusterUpdate(view)) } catch { data = Array("{}".utf8) }
        return Array("id: \(id)\nevent: cluster_update\ndata: ".utf8) + data + Array("\n\n".utf8)
    }
}

/// The data of an event: everything `status` shows, so that one lost event loses nothing.
struct ClusterUpdate: Codable, Sendable {
    var type: String
    var node: NodeName
    var health: String
    var capturedAt: String
    var status: StatusOutput

    init(_ view: ClusterView) {
        type = "cluster_update"
        node = view.node
        health = view.health.status
        capturedAt = view.capturedAt
        status = StatusOutput(view)
    }
}

/// What makes an event worth sending: not positions, lags and ages, which change all the time.
struct EventKey: Hashable {
    struct Node: Hashable {
        var name: NodeName
        var words: [String]
        var flags: [Bool]
    }
    private var primary: PrimaryView?
    private var leader: NodeName?
    private var term: UInt64
    private var texts: [String]
    private var flags: [Bool]
    private var nodes: [Node]
    private var peers: [Node]
    private var synchronous: SynchronousView

    init(_ view: ClusterView) {
        primary = view.primary
        primary?.lsn = nil
        primary?.leaseRemainingSeconds = nil
        leader = view.raft.leader
        term = view.raft.term
        texts = [
            view.raft.state, view.health.status, view.operation?.id ?? "", view.operation?.phase ?? "",
            view.recentOperations.first?.id ?? "", view.paused?.since ?? "", view.vipOwner?.rawValue ?? "",
            view.job.phase,
        ]
        flags = [view.splitBrain, view.paused != nil, view.raft.hasQuorum, view.staleSeconds > 0]
        nodes = view.nodes.map {
            Node(
                name: $0.name, words: [$0.role.rawValue, $0.state, $0.standing, $0.sync],
                flags: [$0.healthy, $0.inRotation, $0.streaming ?? false, $0.pendingRestart])
        }
        peers = view.peers.map { Node(name: $0.name, words: [$0.address, $0.suffrage.rawValue], flags: [$0.reachable]) }
        synchronous = view.synchronous
    }
}
