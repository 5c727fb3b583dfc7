import ClusterModel
import Synchronization

/// What callers on other threads and the event loop share: queues, counters, who is connected.
final class SharedTransportState: Sendable {
    private struct State {
        var queues: [MemberID: OutboundQueue] = [:]
        var connected: [MemberID: [PeerLane: Int]] = [:]
        var lastHeard: [MemberID: Int64] = [:]
        var peers: Set<MemberID> = []
        /// A drain of this member is on its way to the loop already.
        var scheduled: Set<MemberID> = []
        var statistics = TransportStatistics()
        var tls: TLSContexts?
        var isStopped = false
        /// Work that still needs the event loop.
        var running = 0
    }

    private let state = Mutex(State())
    private let settings: TransportSettings

    init(_ settings: TransportSettings) { self.settings = settings }

    var statistics: TransportStatistics { state.withLock { $0.statistics } }
    func count(_ change: (inout TransportStatistics) -> Void) { state.withLock { change(&$0.statistics) } }

    func tls() -> TLSContexts? { state.withLock { $0.tls } }
    func setTLS(_ contexts: TLSContexts?) { state.withLock { $0.tls = contexts } }

    func setPeers(_ members: Set<MemberID>) {
        state.withLock { state in
            state.peers = members
            state.queues = state.queues.filter { members.contains($0.key) || state.connected[$0.key] != nil }
            state.lastHeard = state.lastHeard.filter { members.contains($0.key) || state.connected[$0.key] != nil }
        }
    }

    // MARK: Life of the event loop

    /// Announces work that needs the event loop; false when the transport was stopped: then it must not be begun.
    func begin() -> Bool {
        state.withLock { state in
            if !state.isStopped { state.running += 1 }
            return !state.isStopped
        }
    }

    /// That work is done. true: the transport was stopped, and nothing needs its loop any more.
    func end() -> Bool {
        state.withLock { state in
            state.running -= 1
            return state.isStopped && state.running == 0
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }

    // MARK: Queues

    /// Queues a message. The answer tells whether it was taken, and whether the caller must wake the loop
    /// (`begin` was called for it then).
    func enqueue(
        _ payload: [UInt8], to member: MemberID, lane: PeerLane, replaceKey: UInt64?
    ) -> (taken: Bool, wakes: Bool) {
        state.withLock { state in
            let isKnown = state.peers.contains(member) || state.connected[member] != nil
            guard !state.isStopped, isKnown, payload.count <= settings.maxMessageBytes else {
                if lane == .urgent { state.statistics.droppedUrgent += 1 } else { state.statistics.droppedBulk += 1 }
                return (false, false)
            }
            let outcome = state.queues[member, default: OutboundQueue()].append(
                payload, lane: lane, replaceKey: replaceKey, maxMessages: settings.maxQueuedMessages,
                maxBytes: settings.maxQueuedBytes)
            state.statistics.droppedUrgent += UInt64(outcome.droppedUrgent)
            state.statistics.droppedBulk += UInt64(outcome.droppedBulk)
            state.statistics.replaced += UInt64(outcome.replaced)
            let wakes = state.scheduled.insert(member).inserted
            if wakes { state.running += 1 }
            return (true, wakes)
        }
    }

    func drainBegins(_ member: MemberID) { state.withLock { _ = $0.scheduled.remove(member) } }

    func take(_ member: MemberID, _ lane: PeerLane) -> [UInt8]? {
        state.withLock { state in
            guard let payload = state.queues[member]?.pop(lane) else { return nil }
            state.statistics.sent += 1
            state.statistics.sentBytes += UInt64(payload.count)
            return payload
        }
    }

    func discard(_ member: MemberID, _ lane: PeerLane) {
        state.withLock { state in
            let dropped = UInt64(state.queues[member]?.removeAll(lane) ?? 0)
            if lane == .urgent {
                state.statistics.droppedUrgent += dropped
            } else {
                state.statistics.droppedBulk += dropped
            }
        }
    }

    // MARK: Who is there

    func heard(_ member: MemberID, at instant: Int64, bytes: Int) {
        state.withLock { state in
            // Others may claim any number of member ids: only those that can be sent to are remembered.
            if state.peers.contains(member) || state.connected[member] != nil { state.lastHeard[member] = instant }
            guard bytes > 0 else { return }
            state.statistics.received += 1
            state.statistics.receivedBytes += UInt64(bytes)
        }
    }

    func setConnected(_ member: MemberID, _ lane: PeerLane, by change: Int) {
        state.withLock { state in
            var lanes = state.connected[member] ?? [:]
            let count = (lanes[lane] ?? 0) + change
            lanes[lane] = count > 0 ? count : nil
            state.connected[member] = lanes.isEmpty ? nil : lanes
            guard lanes.isEmpty, !state.peers.contains(member) else { return }
            state.queues[member] = nil
            state.lastHeard[member] = nil
        }
    }

    func isConnected(_ member: MemberID) -> Bool { state.withLock { $0.connected[member]?[.urgent] != nil } }
    func lastHeard(_ member: MemberID) -> Int64? { state.withLock { $0.lastHeard[member] } }
}
