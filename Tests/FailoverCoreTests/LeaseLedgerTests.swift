import ClusterModel
import FailoverCore
import Testing

/// The leader's side of the lease (LE6 to LE9).
@Suite struct LeaseLedgerTests {
    private let state = StateBench.serving().state

    @Test func `a request is refused unless it is exactly what primary names (LE6)`() {
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        func refusal(_ change: (inout LeaseRequest) -> Void, _ state: ClusterState? = nil) -> LeaseDenialReason? {
            var asked = ask(1)
            change(&asked)
            return ledger.accept(asked, from: member("a"), context: 1, state: state ?? self.state, now: stamp(1))
        }
        #expect(refusal { $0.clusterID = ClusterID(rawValue: 9) } == .wrongCluster)
        #expect(refusal { $0.epoch = 2 } == .wrongCluster)
        #expect(refusal { $0.token = FencingToken(2) } == .wrongToken)
        #expect(refusal { $0.memberID = member("b") } == .wrongToken)
        #expect(refusal { $0.guardIncarnation = guardOf("a", life: 2) } == .wrongGuard)
        var ended = state
        ended.primary?.phase = .ended
        #expect(refusal({ _ in }, ended) == .ended)
        #expect(refusal { _ in } == nil)
        #expect(refusal { _ in } == .stale, "LE6: the sequence was seen")
        #expect(ledger.lastAcceptance(of: FencingToken(1)) == stamp(1))
    }

    @Test func `it grants after a complete round, if the state still allows it (LE7)`() {
        var ledger = LeaseLedger(term: 4, becameLeaderAt: stamp(0))
        #expect(ledger.accept(ask(1), from: member("a"), context: 7, state: state, now: stamp(1)) == nil)
        #expect(ledger.finish(context: 8, confirmed: true, state: state) == nil)
        guard let (to, answer) = ledger.finish(context: 7, confirmed: true, state: state),
            case .success(let grant) = answer
        else {
            Issue.record("no grant")
            return
        }
        #expect(to == member("a"))
        #expect(grant.term == 4 && grant.sequence == 1 && grant.durationMilliseconds == 3000)
        #expect(ledger.finish(context: 7, confirmed: true, state: state) == nil, "answered once")
    }

    @Test func `a failed round or a fence begun meanwhile denies (LE7)`() {
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        _ = ledger.accept(ask(1), from: member("a"), context: 1, state: state, now: stamp(1))
        _ = ledger.accept(ask(2), from: member("a"), context: 2, state: state, now: stamp(1))
        #expect(denial(ledger.finish(context: 1, confirmed: false, state: state)) == .noQuorum)
        var ended = state
        ended.primary?.phase = .ended
        #expect(denial(ledger.finish(context: 2, confirmed: true, state: ended)) == .ended)
    }

    @Test func `expiry is 1_03 x D after the later of becoming leader and the last acceptance (LE8)`() {
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(10_000))
        let one = FencingToken(1)
        #expect(ledger.expiry(of: one, state: state) == stamp(13_090))
        _ = ledger.accept(ask(1), from: member("a"), context: 1, state: state, now: stamp(11_000))
        #expect(ledger.expiry(of: one, state: state) == stamp(14_090))
        #expect(!ledger.hasExpired(one, state: state, now: stamp(14_089)))
        #expect(ledger.hasExpired(one, state: state, now: stamp(14_090)))
    }

    @Test func `an inherited lease waits for leases_wait, also when the duration is shorter by now (LE8, LE12)`() {
        var waiting = state
        waiting.leases.durationMilliseconds = 1000
        waiting.leases.waitMilliseconds = 30_000
        let ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        #expect(ledger.expiry(of: FencingToken(1), state: waiting) == stamp(30_900))
    }

    @Test func `a token assigned here and never asked for needs no wait (LE8)`() {
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        ledger.assigned(FencingToken(1))
        #expect(ledger.hasExpired(FencingToken(1), state: state, now: stamp(0)))
        _ = ledger.accept(ask(1), from: member("a"), context: 1, state: state, now: stamp(5000))
        #expect(ledger.expiry(of: FencingToken(1), state: state) == stamp(8090))
    }

    @Test func `a token assigned here waits for the longest duration granted (LE8)`() {
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        ledger.assigned(FencingToken(1))
        var long = state
        long.leases.durationMilliseconds = 10_000
        _ = ledger.accept(ask(1), from: member("a"), context: 1, state: long, now: stamp(1000))
        #expect(ledger.expiry(of: FencingToken(1), state: state) == stamp(11_300))
    }

    @Test func `a lease without an end never expires (4_10, LE8)`() {
        var sole = state
        sole.leases.mode = .sole
        let ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        #expect(ledger.expiry(of: FencingToken(1), state: sole) == nil)
        #expect(!ledger.hasExpired(FencingToken(1), state: sole, now: stamp(1 << 40)))
    }

    @Test func `a hold counts from its own request, an inherited one from becoming leader (LE8)`() {
        var held = state
        held.hold = hold(1)
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(1000))
        #expect(ledger.expiry(of: FencingToken(1), state: held) == stamp(62_800))
        ledger.noteHold(FencingToken(1), now: stamp(5000))
        #expect(ledger.expiry(of: FencingToken(1), state: held) == stamp(66_800))
        held.hold = hold(1, token: 2)
        #expect(ledger.expiry(of: FencingToken(1), state: held) == stamp(4090), "another token's hold does not count")
    }

    private func ask(_ sequence: UInt64) -> LeaseRequest {
        LeaseRequest(
            clusterID: clusterID, epoch: 1, memberID: member("a"), token: FencingToken(1),
            guardIncarnation: guardOf("a"),
            daemon: daemonOf("a"), sequence: sequence)
    }

    private func denial(_ answer: (to: MemberID, answer: Result<LeaseGrant, LeaseRefused>)?) -> LeaseDenialReason? {
        guard case .failure(let refused) = answer?.answer else { return nil }
        return refused.denial.reason
    }
}
