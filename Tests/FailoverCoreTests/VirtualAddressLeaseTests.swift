import ClusterModel
import Testing

@testable import FailoverCore

/// VI1: who may have the virtual address, and until when.
@Suite struct VirtualAddressLeaseTests {
    private func at(_ milliseconds: Int64, suspended: Int64 = 0) -> ClockStamp {
        ClockStamp(raw: milliseconds * 1_000_000, suspended: suspended * 1_000_000)
    }

    private func isHeld(_ claim: VirtualAddressOrder.Kind) -> Bool { if case .hold = claim { true } else { false } }
    private func reason(_ claim: VirtualAddressOrder.Kind) -> String { if case .drop(let reason) = claim { reason } else { "" } }

    private func leading(gaveUp: Bool = false) -> VirtualAddressLease {
        var lease = VirtualAddressLease(rule: .leader)
        lease.beganToLead(at: at(1000), predecessorGaveUp: gaveUp)
        return lease
    }

    // MARK: follows: leader

    @Test func `a follower does not hold it, and says why`() {
        let lease = VirtualAddressLease(rule: .leader)
        #expect(lease.leaderClaim(isReady: false, now: at(0)) == .drop(reason: "not leader"))
    }

    @Test func `a new leader waits 3.09 s, whatever rounds it completes`() {
        var lease = leading()
        lease.completedRound(began: at(4085))
        #expect(!isHeld(lease.leaderClaim(isReady: true, now: at(4089))))
        #expect(lease.leaderClaim(isReady: true, now: at(4090)) == .hold(until: at(7085), outlivesDaemon: false))
    }

    @Test func `a leader whose predecessor gave it up does not wait`() {
        var lease = leading(gaveUp: true)
        lease.completedRound(began: at(1001))
        #expect(lease.leaderClaim(isReady: true, now: at(1002)) == .hold(until: at(4001), outlivesDaemon: false))
    }

    @Test func `it is held for 3 s from the beginning of the last complete round, and no longer`() {
        var lease = leading(gaveUp: true)
        lease.completedRound(began: at(2000))
        lease.completedRound(began: at(1500))  // an older round that ended later proves less
        #expect(isHeld(lease.leaderClaim(isReady: true, now: at(4999))))
        #expect(reason(lease.leaderClaim(isReady: true, now: at(5000))) == "no majority answers this leader")
    }

    @Test func `a leader without a complete round, or not ready, does not hold it`() {
        var lease = leading(gaveUp: true)
        #expect(!isHeld(lease.leaderClaim(isReady: true, now: at(1001))))
        lease.completedRound(began: at(1001))
        #expect(!isHeld(lease.leaderClaim(isReady: false, now: at(1002))))
    }

    @Test func `a suspension ends it`() {
        var lease = leading(gaveUp: true)
        lease.completedRound(began: at(1001))
        #expect(isHeld(lease.leaderClaim(isReady: true, now: at(1100, suspended: 1))))
        #expect(!isHeld(lease.leaderClaim(isReady: true, now: at(1100, suspended: 2))))
    }

    @Test func `who gave it up for a successor does not hold it until that is taken back`() {
        var lease = leading(gaveUp: true)
        lease.completedRound(began: at(1001))
        lease.giveUp()
        #expect(!isHeld(lease.leaderClaim(isReady: true, now: at(1100))))
        lease.takeBack()
        #expect(isHeld(lease.leaderClaim(isReady: true, now: at(1100))))
    }

    @Test func `only who has waited itself may tell a successor not to wait`() {
        let lease = leading()
        #expect(!lease.isEntitled(at: at(4000)))
        #expect(lease.isEntitled(at: at(4090)))
        #expect(!VirtualAddressLease(rule: .leader).isEntitled(at: at(9000)))
    }

    @Test func `losing the lead ends it, and rounds of an earlier term count for nothing`() {
        var lease = leading(gaveUp: true)
        lease.completedRound(began: at(1001))
        lease.stoppedLeading()
        #expect(!isHeld(lease.leaderClaim(isReady: false, now: at(1100))))
        lease.beganToLead(at: at(1200), predecessorGaveUp: true)
        #expect(!isHeld(lease.leaderClaim(isReady: true, now: at(1201))))
    }

    // MARK: follows: primary

    private func context(
        _ change: (inout VirtualAddressLease.PrimaryContext) -> Void = { _ in }
    ) -> VirtualAddressLease.PrimaryContext {
        var context = VirtualAddressLease.PrimaryContext(
            token: FencingToken(rawValue: 4), basis: .expired, holdsLease: true, isHandingOver: false, deadline: at(3000),
            leaseDuration: .seconds(3), hasHold: false)
        change(&context)
        return context
    }

    private func claim(_ context: VirtualAddressLease.PrimaryContext?, _ now: ClockStamp) -> VirtualAddressOrder.Kind {
        var lease = VirtualAddressLease(rule: .primary)
        return lease.primaryClaim(context, now: now)
    }

    @Test func `the primary holds it exactly as long as its lease`() {
        #expect(claim(context(), at(100)) == .hold(until: at(3000), outlivesDaemon: false))
        #expect(!isHeld(claim(context(), at(3000))))
        #expect(!isHeld(claim(context(), at(100, suspended: 5))))
    }

    @Test func `who is not primary, has no lease, or is being switched over does not hold it`() {
        #expect(claim(nil, at(0)) == .drop(reason: "not primary"))
        #expect(!isHeld(claim(context { $0.holdsLease = false }, at(0))))
        #expect(!isHeld(claim(context { $0.isHandingOver = true }, at(0))))
    }

    @Test func `during a restart hold it outlives the daemon`() {
        let held = claim(
            context {
                $0.hasHold = true; $0.deadline = at(60_000)
            }, at(0))
        #expect(held == .hold(until: at(60_000), outlivesDaemon: true))
    }

    @Test func `a lease without end holds it for 3 s from now`() {
        #expect(claim(context { $0.deadline = nil }, at(500)) == .hold(until: at(3500), outlivesDaemon: false))
    }

    @Test func `a lease below 3 s is longer for the address, and the next primary waits for the rest unless it was released`() {
        let short = context {
            $0.leaseDuration = .seconds(1); $0.deadline = at(1000)
        }
        var lease = VirtualAddressLease(rule: .primary)
        #expect(!isHeld(lease.primaryClaim(short, now: at(0))))
        let later = context {
            $0.leaseDuration = .seconds(1); $0.deadline = at(3000)
        }
        #expect(lease.primaryClaim(later, now: at(2060)) == .hold(until: at(5000), outlivesDaemon: false))
        var released = short
        released.basis = .released
        #expect(claim(released, at(0)) == .hold(until: at(3000), outlivesDaemon: false))
    }
}
