import ClusterModel
import Synchronization

/// The one thing all event loops share: the routing table in force and the counts of sessions.
///
/// Every use is one short lock; nothing is called while it is held.
final class RouteBoard: Sendable {
    typealias Backend = RoutingTable.Backend

    /// A server chosen for a session, counted until `release`.
    struct Target: Sendable, Hashable {
        var backend: Backend
        /// The session is one to the primary: it ends with `epoch` (PX1).
        var asPrimary: Bool
        var epoch: FencingToken
    }

    enum Route: Sendable {
        case to(Target)
        case hold
        case refuse(ProxyRefusal)
    }

    fileprivate struct Key: Hashable {
        var backend: Backend
        var port: PortType
    }

    fileprivate struct State {
        var table = RoutingTable()
        var counts: [Key: Int] = [:]
        var statistics = ProxyStatistics()
        /// Moves on with each choice, so that equals take turns.
        var turn = 0
        /// When the patience with the sessions of a drained server is over.
        var drainEnds: [NodeName: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    /// Whether the table in force asks sessions to wait; read for every piece of data, so without the lock.
    private let holding = Atomic(false)

    var isHolding: Bool { holding.load(ordering: .relaxed) }

    var table: RoutingTable { state.withLock { $0.table } }
    var statistics: ProxyStatistics { state.withLock { $0.statistics } }

    /// Puts `table` in force; false when it changes nothing or is older than the one in force (PR5).
    func replace(with table: RoutingTable) -> Bool {
        state.withLock { state in
            guard table != state.table, table.epoch >= state.table.epoch else { return false }
            state.table = table
            state.statistics.epoch = table.epoch
            holding.store(table.primary == nil && table.withoutPrimary == .hold, ordering: .relaxed)
            return true
        }
    }

    /// Chooses a server for a new session and counts it.
    func route(_ port: PortType, excluding failed: Set<NodeName>) -> Route {
        state.withLock { state in
            if port == .replica, let target = state.chooseReplica(excluding: failed) { return .to(target) }
            return state.choosePrimary(port, excluding: failed)
        }
    }

    func release(_ target: Target, port: PortType) {
        state.withLock { state in
            let key = Key(backend: target.backend, port: port)
            let count = state.counts[key, default: 0] - 1
            state.counts[key] = count > 0 ? count : nil
        }
    }

    /// Whether a session joined to `target`, or about to be, may live on under the table in force (PX1, PX3).
    func verdict(_ target: Target) -> Verdict {
        state.withLock { $0.verdict(target) }
    }

    enum Verdict: Sendable, Hashable {
        case stays
        /// The primary is stopping for a switchover: idle sessions wait (PX3).
        case waits
        case goes(CutReason, String)
    }

    /// Servers that have sessions of this port, at most 16, in order of name (PX5).
    func serversWithSessions(_ port: PortType) -> [Backend] {
        let all = state.withLock { $0.counts.keys.filter { $0.port == port }.map(\.backend) }
        return Array(all.sorted { ($0.node, $0.host, $0.port) < ($1.node, $1.host, $1.port) }.prefix(16))
    }

    var sessions: [BackendSessions] {
        state.withLock { $0.counts }
            .map { BackendSessions(backend: $0.key.backend, portType: $0.key.port, count: $0.value) }
            .sorted { ($0.backend.node, $0.portType.rawValue) < ($1.backend.node, $1.portType.rawValue) }
    }

    func isDrained(_ node: NodeName) -> Bool { state.withLock { $0.table.drained[node] != nil } }

    /// Notes until when the sessions of newly drained servers may go on.
    ///
    /// - Returns: The servers whose drain begins now, with their time.
    func beginDrains(_ patience: Duration) -> [NodeName: Duration] {
        state.withLock { state in
            state.drainEnds = state.drainEnds.filter { state.table.drained[$0.key] != nil }
            var begun: [NodeName: Duration] = [:]
            for (node, drain) in state.table.drained where state.drainEnds[node] == nil {
                let limit = drain.limit ?? patience
                begun[node] = limit
                state.drainEnds[node] = ContinuousClock.now.advanced(by: limit)
            }
            return begun
        }
    }

    /// Whether the time of a drain is over; false when it was taken back meanwhile.
    func isDrainOver(_ node: NodeName) -> Bool {
        state.withLock { $0.drainEnds[node].map { $0 <= ContinuousClock.now } ?? false }
    }

    /// Clients connected now, on both ports.
    var clients: Int { state.withLock { $0.statistics.active.values.reduce(0, +) } }

    /// Keeps the statistics; every event passes here before the observer sees it.
    func note(_ event: ProxyEvent) {
        state.withLock { $0.statistics.note(event) }
    }
}

extension RouteBoard.State {
    /// PX4: in rotation, fewest sessions first; equals take turns.
    mutating func chooseReplica(excluding failed: Set<NodeName>) -> RouteBoard.Target? {
        let able = table.replicas.filter { isOpen($0.node) && !failed.contains($0.node) }
        guard !able.isEmpty else { return nil }
        turn &+= 1
        let start = turn % able.count
        var best = able[start]
        var bestCount = counts[.init(backend: best, port: .replica), default: 0]
        for step in 1..<max(able.count, 1) {
            let backend = able[(start + step) % able.count]
            let count = counts[.init(backend: backend, port: .replica), default: 0]
            if count < bestCount { (best, bestCount) = (backend, count) }
        }
        return take(best, port: .replica, asPrimary: false)
    }

    mutating func choosePrimary(_ port: PortType, excluding failed: Set<NodeName>) -> RouteBoard.Route {
        // DE8: while two servers are writable nobody is led to either.
        if table.splitBrain { return .refuse(.noPrimary("two writable servers were seen")) }
        guard let primary = table.primary else {
            switch table.withoutPrimary {
            case .hold: return .hold
            case .refuse(let reason): return .refuse(.noPrimary(reason))
            }
        }
        guard isOpen(primary.node) else { return .refuse(.noPrimary("server \"\(primary.node)\" is being taken out")) }
        guard !failed.contains(primary.node) else { return .refuse(.unreachable(primary.node.rawValue)) }
        return .to(take(primary, port: port, asPrimary: true))
    }

    private func isOpen(_ node: NodeName) -> Bool {
        table.cut[node] == nil && table.drained[node] == nil
    }

    private mutating func take(_ backend: RouteBoard.Backend, port: PortType, asPrimary: Bool) -> RouteBoard.Target {
        counts[.init(backend: backend, port: port), default: 0] += 1
        return RouteBoard.Target(backend: backend, asPrimary: asPrimary, epoch: table.epoch)
    }

    func verdict(_ target: RouteBoard.Target) -> RouteBoard.Verdict {
        if let reason = table.cut[target.backend.node] {
            return .goes(.fence, "server \"\(target.backend.node)\" is taken out: \(reason)")
        }
        guard target.asPrimary else { return .stays }
        if target.epoch < table.epoch { return .goes(.epoch, "the primary has changed") }
        // A primary that merely became unknown keeps its sessions: the fence ends them (PX2).
        return table.primary == nil && table.withoutPrimary == .hold ? .waits : .stays
    }
}

extension ProxyStatistics {
    mutating func note(_ event: ProxyEvent) {
        switch event {
        case .accepted(let port):
            acceptedTotal[port, default: 0] += 1
            active[port, default: 0] += 1
        case .closed(let port): active[port, default: 0] -= 1
        case .routingFailed: routingErrorsTotal += 1
        case .cut(_, let reason, _): cutTotal[reason, default: 0] += 1
        case .held: held += 1
        case .holdEnded: held -= 1
        case .joined, .parted: break  // counted by server, in `RouteBoard`
        }
    }
}
