import ClusterModel
import FailoverCore
import Testing

/// The daemon's side of the lease (LE3).
@Suite struct LeaseHolderTests {
    @Test func `a grant counts from the stamp of its own request (LE3, D3)`() {
        var holder = LeaseHolder(daemon: daemonOf("a"))
        let first = ask(&holder, 100)
        let second = ask(&holder, 400)
        #expect(holder.unanswered == 2)
        #expect(accept(&holder, grant(second), 450) == arm(400))
        #expect(accept(&holder, grant(first), 460) == arm(100), "late: only what its own request allows")
        #expect(holder.unanswered == 0)
        #expect(accept(&holder, grant(first), 470) == nil, "duplicated")
    }

    @Test func `a grant that does not fit its request is ignored (LE3)`() {
        var holder = LeaseHolder(daemon: daemonOf("a"))
        let asked = ask(&holder, 0)
        var other = grant(asked)
        other.daemon = daemonOf("a", life: 2)
        #expect(accept(&holder, other, 1) == nil)
        other = grant(asked)
        other.clusterID = ClusterID(rawValue: 9)
        #expect(accept(&holder, other, 1) == nil)
        other = grant(asked)
        other.token = FencingToken(2)
        #expect(accept(&holder, other, 1) == nil)
        other = grant(asked)
        other.guardIncarnation = guardOf("a", life: 2)
        #expect(accept(&holder, other, 1) == nil)
        other = grant(asked)
        other.sequence += 1
        #expect(accept(&holder, other, 1) == nil)
        #expect(
            holder.accept(grant(asked), cluster: identity, guardIncarnation: guardOf("a", life: 2), now: stamp(1))
                == nil)
        #expect(accept(&holder, grant(asked), 1) == arm(0))
    }

    @Test func `a request is kept for one lease (LE3)`() {
        var holder = LeaseHolder(daemon: daemonOf("a"))
        let old = ask(&holder, 0)
        _ = ask(&holder, 3001)
        #expect(accept(&holder, grant(old), 3002) == nil)
    }

    @Test(arguments: [(Int64(1000), Int64(100)), (3000, 300), (30_000, 1000)])
    func `renewal is a tenth of the lease, within 100 ms and 1 s (2_3)`(lease: Int64, interval: Int64) {
        var terms = LeaseTerms()
        terms.durationMilliseconds = lease
        #expect(LeaseHolder.renewalInterval(terms) == .milliseconds(interval))
    }

    @Test func `a new leader is asked at once (2_3)`() {
        var holder = LeaseHolder(daemon: daemonOf("a"))
        #expect(holder.isDue(terms: LeaseTerms(), now: stamp(0), leaderIsNew: false))
        _ = ask(&holder, 0)
        #expect(!holder.isDue(terms: LeaseTerms(), now: stamp(299), leaderIsNew: false))
        #expect(holder.isDue(terms: LeaseTerms(), now: stamp(299), leaderIsNew: true))
        #expect(holder.isDue(terms: LeaseTerms(), now: stamp(300), leaderIsNew: false))
        _ = ask(&holder, 300)
        holder.retrySoon(now: stamp(301))
        #expect(holder.isDue(terms: LeaseTerms(), now: stamp(301), leaderIsNew: false))
    }

    private let identity = ClusterIdentity(id: clusterID, epoch: 1, name: "demo")

    private func ask(_ holder: inout LeaseHolder, _ now: Int64) -> LeaseRequest {
        holder.request(
            cluster: identity, member: member("a"), token: FencingToken(1), guardIncarnation: guardOf("a"),
            terms: LeaseTerms(),
            now: stamp(now))
    }
    private func accept(_ holder: inout LeaseHolder, _ grant: LeaseGrant, _ now: Int64) -> GuardOrder? {
        holder.accept(grant, cluster: identity, guardIncarnation: guardOf("a"), now: stamp(now))
    }
    private func grant(_ request: LeaseRequest) -> LeaseGrant {
        LeaseGrant(
            clusterID: request.clusterID, term: 1, token: request.token, guardIncarnation: request.guardIncarnation,
            daemon: request.daemon, sequence: request.sequence, durationMilliseconds: 3000, mode: .timed)
    }
    private func arm(_ requestedAt: Int64) -> GuardOrder {
        .arm(token: FencingToken(1), requestedAt: stamp(requestedAt), durationMilliseconds: 3000, mode: .timed)
    }
}
