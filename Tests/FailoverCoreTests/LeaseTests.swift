import ClusterModel
import Testing

@testable import FailoverCore

@Suite struct LeaseTests {
    private static let daemon = DaemonIncarnation(rawValue: 5)

    private func request(_ sequence: UInt64 = 1, token: UInt64 = 1, guardID: Int = 1) -> LeaseRequest {
        LeaseRequest(
            clusterID: Fixture.cluster, epoch: 1, memberID: Fixture.member(1), token: FencingToken(token),
            guardIncarnation: Fixture.guardID(guardID), daemon: Self.daemon, sequence: sequence)
    }

    // MARK: The leader's side

    @Test func `LE6: a request must name the cluster, the holder, its guard, and a token that has not ended`() {
        var state = Fixture.serving()
        var ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(0))
        let now = Fixture.stamp(10)
        func answer(_ request: LeaseRequest, _ context: UInt64) -> LeaseDenialReason? {
            ledger.accept(request, from: Fixture.member(1), context: context, state: state, now: now)
        }
        #expect(answer(request(1, token: 2), 1) == .wrongToken)
        #expect(answer(request(1, guardID: 2), 2) == .wrongGuard)
        var foreign = request()
        foreign.clusterID = ClusterID(rawValue: 1)
        #expect(answer(foreign, 3) == .wrongCluster)
        #expect(answer(request(1), 4) == nil)
        #expect(answer(request(1), 5) == .stale)
        state.primary?.phase = .ended
        #expect(answer(request(2), 6) == .ended)
    }

    @Test func `LE7: a request that waits when its token ends is dropped`() {
        var state = Fixture.serving()
        var ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(0))
        #expect(ledger.accept(request(), from: Fixture.member(1), context: 1, state: state, now: Fixture.stamp(1)) == nil)
        state.primary?.phase = .ended
        guard case .failure(let refused)? = ledger.finish(context: 1, confirmed: true, state: state)?.answer else {
            Issue.record("granted")
            return
        }
        #expect(refused.denial.reason == .ended)
    }

    @Test func `LE8: another leader's grants are waited out from its own election, this one's from the last acceptance`() {
        let state = Fixture.serving()
        var ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(1000))
        let token = FencingToken(1)
        #expect(!ledger.hasExpired(token, state: state, now: Fixture.stamp(1000 + 3089)))
        #expect(ledger.hasExpired(token, state: state, now: Fixture.stamp(1000 + 3090)))
        #expect(ledger.accept(request(), from: Fixture.member(1), context: 1, state: state, now: Fixture.stamp(2000)) == nil)
        #expect(!ledger.hasExpired(token, state: state, now: Fixture.stamp(2000 + 3089)))
        #expect(ledger.hasExpired(token, state: state, now: Fixture.stamp(2000 + 3090)))
    }

    @Test func `LE8: nothing is waited for when this leader assigned the token and nobody asked`() {
        var ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(1000))
        ledger.assigned(FencingToken(1))
        #expect(ledger.hasExpired(FencingToken(1), state: Fixture.serving(), now: Fixture.stamp(1000)))
    }

    @Test func `LE8: the longest duration granted counts, and the wait of the terms for grants of others`() {
        var state = Fixture.serving()
        state.leases.waitMilliseconds = 30_000
        let ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(0))
        #expect(!ledger.hasExpired(FencingToken(1), state: state, now: Fixture.stamp(30_000)))
        #expect(ledger.hasExpired(FencingToken(1), state: state, now: Fixture.stamp(30_900)))
    }

    @Test func `LE8: a hold is waited out from its own receipt, an inherited one from the election`() {
        var state = Fixture.serving()
        state.hold = HoldRecord(
            id: 1, token: FencingToken(1), guardIncarnation: Fixture.guardID(1), durationMilliseconds: 60_000, reason: "")
        var ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(0))
        #expect(!ledger.hasExpired(FencingToken(1), state: state, now: Fixture.stamp(61_799)))
        #expect(ledger.hasExpired(FencingToken(1), state: state, now: Fixture.stamp(61_800)))
        ledger.noteHold(FencingToken(1), now: Fixture.stamp(10_000))
        #expect(!ledger.hasExpired(FencingToken(1), state: state, now: Fixture.stamp(71_799)))
    }

    @Test func `4.10: a lease without end never expires`() {
        var state = Fixture.serving(1)
        state.leases.mode = .sole
        let ledger = LeaseLedger(term: 3, becameLeaderAt: Fixture.stamp(0))
        #expect(ledger.expiry(of: FencingToken(1), state: state) == nil)
    }

    // MARK: The holder's side

    @Test func `LE3: a grant counts once, from its own request's stamp`() throws {
        var holder = LeaseHolder(daemon: Self.daemon)
        let state = Fixture.serving()
        let cluster = try #require(state.cluster)
        func ask(_ now: Int64) -> LeaseRequest {
            holder.request(
                cluster: cluster, member: Fixture.member(1), token: FencingToken(1), guardIncarnation: Fixture.guardID(1),
                terms: state.leases, now: Fixture.stamp(now))
        }
        func grant(_ request: LeaseRequest) -> LeaseGrant {
            LeaseGrant(
                clusterID: cluster.id, term: 3, token: request.token, guardIncarnation: request.guardIncarnation,
                daemon: request.daemon, sequence: request.sequence, durationMilliseconds: 3000, mode: .timed)
        }
        let (first, second) = (ask(100), ask(400))
        func order(_ grant: LeaseGrant, guardID: Int = 1) -> GuardOrder? {
            holder.accept(grant, cluster: cluster, guardIncarnation: Fixture.guardID(guardID), now: Fixture.stamp(900))
        }
        #expect(
            order(grant(second)) == .arm(token: FencingToken(1), requestedAt: Fixture.stamp(400), durationMilliseconds: 3000, mode: .timed))
        #expect(order(grant(first), guardID: 2) == nil)
        #expect(
            order(grant(first)) == .arm(token: FencingToken(1), requestedAt: Fixture.stamp(100), durationMilliseconds: 3000, mode: .timed))
        #expect(order(grant(first)) == nil)
        var foreign = grant(ask(950))
        foreign.token = FencingToken(2)
        #expect(order(foreign) == nil)
    }

    @Test func `LE3: a request is forgotten after one lease`() throws {
        var holder = LeaseHolder(daemon: Self.daemon)
        let state = Fixture.serving()
        let cluster = try #require(state.cluster)
        func ask(_ now: Int64) -> LeaseRequest {
            holder.request(
                cluster: cluster, member: Fixture.member(1), token: FencingToken(1), guardIncarnation: Fixture.guardID(1),
                terms: state.leases, now: Fixture.stamp(now))
        }
        let old = ask(0)
        _ = ask(3001)
        let late = LeaseGrant(
            clusterID: cluster.id, term: 3, token: old.token, guardIncarnation: old.guardIncarnation, daemon: old.daemon,
            sequence: old.sequence, durationMilliseconds: 3000, mode: .timed)
        #expect(holder.accept(late, cluster: cluster, guardIncarnation: Fixture.guardID(1), now: Fixture.stamp(3002)) == nil)
    }

    @Test(arguments: [(1000, 100), (3000, 300), (60_000, 1000)] as [(Int64, Int64)])
    func `a lease is renewed every tenth of it, within 100 ms to 1 s`(lease: Int64, interval: Int64) {
        var terms = LeaseTerms()
        terms.durationMilliseconds = lease
        #expect(LeaseHolder.renewalInterval(terms) == .milliseconds(interval))
    }
}
