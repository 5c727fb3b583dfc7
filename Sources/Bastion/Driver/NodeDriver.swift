import ClusterModel
import Dispatch
import FailoverCore
import Guard
import NodeCore
import RaftCore
import Synchronization

/// Runs the core: one serial queue takes inputs one by one, steps the node, and carries its effects out front to back.
///
/// - Safety: `node` is touched on `queue` only. No effect waits: disk, network, PostgreSQL and guard have queues of their
///   own, so no lease, timer or guard work ever waits for them (ST9).
package final class NodeDriver: @unchecked Sendable {
    private let queue = DispatchQueue(label: "pgbastion.node", qos: .userInteractive)
    private var node: BastionNode
    private let outside: any EffectPerformer
    private var timer: (any DispatchSourceTimer)?
    private var requests: [UInt64: CheckedContinuation<Result<ClusterReply, BastionError>, Never>] = [:]
    private var nextRequest: UInt64 = 0
    private var isStopped = false
    private var notedCommit = LogIndex.zero
    private var notedLeader = false
    private let lastStep = Atomic<Int64>(0)
    private let wallClock: @Sendable () -> Int64

    package init(node: BastionNode, outside: any EffectPerformer, wallClock: @escaping @Sendable () -> Int64) {
        self.node = node
        self.outside = outside
        self.wallClock = wallClock
    }

    /// Time begins to pass: every 50 ms.
    package func start() {
        queue.async {
            let timer = DispatchSource.makeTimerSource(flags: .strict, queue: self.queue)
            timer.schedule(deadline: .now(), repeating: .milliseconds(50), leeway: .milliseconds(5))
            timer.setEventHandler { [weak self] in self?.step(.tick) }
            self.timer = timer
            timer.resume()
        }
    }

    package func stop() {
        queue.async {
            self.isStopped = true
            self.timer?.cancel()
            self.timer = nil
            for waiting in self.requests.values {
                waiting.resume(returning: .failure(BastionError(.unavailable, "the daemon is stopping")))
            }
            self.requests = [:]
        }
    }

    package func submit(_ input: NodeInput) { queue.async { self.step(input) } }

    /// Milliseconds since the last step: the loop makes progress when this is small (X10).
    package var millisecondsSinceStep: Int64 {
        (SystemClock.now().raw - lastStep.load(ordering: .relaxed)) / 1_000_000
    }

    /// A change for this node as leader.
    package func request(
        _ request: ClusterRequest, _ metadata: RequestMetadata, peer: PeerIdentity?
    ) async -> Result<ClusterReply, BastionError> {
        await withCheckedContinuation { continuation in
            queue.async {
                guard !self.isStopped else {
                    return continuation.resume(returning: .failure(BastionError(.unavailable, "the daemon is stopping")))
                }
                self.nextRequest += 1
                self.requests[self.nextRequest] = continuation
                self.step(.request(id: self.nextRequest, request, metadata, peer: peer))
            }
        }
    }

    package func view() async -> ClusterView {
        await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: self.node.view(now: SystemClock.now(), wallTime: self.wallClock()))
            }
        }
    }

    /// Reads something of the node between two steps.
    package func look<Value: Sendable>(_ body: @escaping @Sendable (BastionNode) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body(self.node)) }
        }
    }

    private func step(_ input: NodeInput) {
        guard !isStopped else { return }
        // LE2: read after the input was received, before anything is sent.
        let now = SystemClock.now()
        lastStep.store(now.raw, ordering: .relaxed)
        for effect in node.step(input, now: now, wallTime: wallClock()) {
            if case .reply(let id, let result) = effect {
                requests.removeValue(forKey: id)?.resume(returning: result)
            } else {
                outside.perform(effect)
            }
        }
        if node.raft.commitIndex > notedCommit {
            notedCommit = node.raft.commitIndex
            outside.committed(notedCommit)
        }
        let knowsLeader = node.raft.leader != nil
        if knowsLeader != notedLeader {
            notedLeader = knowsLeader
            outside.leaderIsKnown(knowsLeader)
        }
    }
}

/// Carries out effects without waiting; called on the driver's queue, in order.
package protocol EffectPerformer: Sendable {
    func perform(_ effect: NodeEffect)
    /// Everything up to `index` is committed; called behind the effects that store it.
    func committed(_ index: LogIndex)
    /// Whether this node knows a leader has changed.
    func leaderIsKnown(_ isKnown: Bool)
}
