import NIOCore

/// Messages that wait for one peer, bounded (RA21): over the limit the oldest bulk message goes first.
struct OutboundQueue {
    private struct Lane {
        var messages = CircularBuffer<(key: UInt64?, payload: [UInt8])>()
        /// Number of the message at the front; a message's place is its number minus this.
        var front: UInt64 = 0
        var numbers: [UInt64: UInt64] = [:]
    }

    private var urgent = Lane()
    private var bulk = Lane()
    private(set) var count = 0
    private(set) var bytes = 0

    /// What was given up to take a message.
    struct Outcome: Sendable, Hashable {
        var droppedUrgent = 0
        var droppedBulk = 0
        var replaced = 0
    }

    /// Adds a message. One with the same `replaceKey` that still waits in the lane is replaced where it stands.
    mutating func append(
        _ payload: [UInt8], lane: PeerLane, replaceKey: UInt64?, maxMessages: Int, maxBytes: Int
    ) -> Outcome {
        var outcome = Outcome()
        if let replaceKey, let old = replace(replaceKey, with: payload, in: lane) {
            bytes += payload.count - old
            outcome.replaced = 1
        } else {
            count += 1
            bytes += payload.count
            switch lane {
            case .urgent: OutboundQueue.push(payload, replaceKey, &urgent)
            case .bulk: OutboundQueue.push(payload, replaceKey, &bulk)
            }
        }
        while count > maxMessages || bytes > maxBytes {
            if pop(.bulk) != nil {
                outcome.droppedBulk += 1
            } else if pop(.urgent) != nil {
                outcome.droppedUrgent += 1
            } else {
                break
            }
        }
        return outcome
    }

    mutating func pop(_ lane: PeerLane) -> [UInt8]? {
        let payload = lane == .urgent ? OutboundQueue.shift(&urgent) : OutboundQueue.shift(&bulk)
        guard let payload else { return nil }
        count -= 1
        bytes -= payload.count
        return payload
    }

    /// Empties one lane: what waited for an unreachable peer is out of date when the peer comes back.
    mutating func removeAll(_ lane: PeerLane) -> Int {
        var removed = 0
        while pop(lane) != nil { removed += 1 }
        return removed
    }

    private mutating func replace(_ key: UInt64, with payload: [UInt8], in lane: PeerLane) -> Int? {
        switch lane {
        case .urgent: OutboundQueue.replace(key, with: payload, &urgent)
        case .bulk: OutboundQueue.replace(key, with: payload, &bulk)
        }
    }

    private static func replace(_ key: UInt64, with payload: [UInt8], _ lane: inout Lane) -> Int? {
        guard let number = lane.numbers[key] else { return nil }
        let at = lane.messages.index(lane.messages.startIndex, offsetBy: Int(number - lane.front))
        let old = lane.messages[at].payload.count
        lane.messages[at].payload = payload
        return old
    }

    private static func push(_ payload: [UInt8], _ key: UInt64?, _ lane: inout Lane) {
        if let key { lane.numbers[key] = lane.front + UInt64(lane.messages.count) }
        lane.messages.append((key, payload))
    }

    private static func shift(_ lane: inout Lane) -> [UInt8]? {
        guard let first = lane.messages.popFirst() else { return nil }
        lane.front += 1
        if let key = first.key { lane.numbers[key] = nil }
        return first.payload
    }
}
