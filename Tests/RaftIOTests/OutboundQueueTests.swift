import Testing

@testable import RaftIO

@Suite struct OutboundQueueTests {
    @Test func `each lane keeps its order`() {
        var queue = OutboundQueue()
        for byte in 0..<6 as Range<UInt8> { _ = add([byte], byte % 2 == 0 ? .urgent : .bulk, to: &queue) }
        #expect(queue.pop(.urgent) == [0])
        #expect(queue.pop(.bulk) == [1])
        #expect(queue.pop(.urgent) == [2])
        #expect(queue.count == 3)
        #expect(queue.bytes == 3)
    }

    @Test func `a newer message takes the place of one with the same key`() {
        var queue = OutboundQueue()
        _ = add([1], .urgent, key: 7, to: &queue)
        _ = add([2], .urgent, to: &queue)
        #expect(add([3, 3], .urgent, key: 7, to: &queue).replaced == 1)
        #expect(queue.bytes == 3)
        #expect(queue.pop(.urgent) == [3, 3])
        // The first one is on its way: nothing to replace any more.
        #expect(add([4], .urgent, key: 7, to: &queue).replaced == 0)
        #expect(queue.pop(.urgent) == [2])
        #expect(queue.pop(.urgent) == [4])
        #expect(queue.pop(.urgent) == nil)
    }

    @Test func `over the limit the oldest bulk message goes first, then the oldest urgent one`() {
        var queue = OutboundQueue()
        _ = add([1], .urgent, to: &queue)
        _ = add([2], .bulk, to: &queue)
        _ = add([3], .bulk, to: &queue)
        #expect(add([4], .urgent, to: &queue, messages: 3).droppedBulk == 1)
        #expect(add([5], .urgent, to: &queue, messages: 3).droppedBulk == 1)
        #expect(add([6], .urgent, to: &queue, messages: 3).droppedUrgent == 1)
        #expect(queue.pop(.bulk) == nil)
        #expect([queue.pop(.urgent), queue.pop(.urgent), queue.pop(.urgent)] == [[4], [5], [6]])
        #expect(queue.bytes == 0)
    }

    @Test func `bytes are limited as well`() {
        var queue = OutboundQueue()
        for _ in 0..<10 { _ = add([UInt8](repeating: 0, count: 100), .bulk, to: &queue, bytes: 350) }
        #expect(queue.count == 3)
        #expect(queue.bytes == 300)
    }

    private func add(
        _ payload: [UInt8], _ lane: PeerLane, key: UInt64? = nil, to queue: inout OutboundQueue, messages: Int = 100,
        bytes: Int = 10_000
    ) -> OutboundQueue.Outcome {
        queue.append(payload, lane: lane, replaceKey: key, maxMessages: messages, maxBytes: bytes)
    }
}
