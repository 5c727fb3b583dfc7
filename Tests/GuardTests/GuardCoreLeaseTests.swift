import ClusterModel
import FailoverCore
import Testing

@Suite struct GuardCoreLeaseTests {
    @Test func `LE3: a lease counts from before its request was sent`() {
        var bench = CoreBench.standby()
        bench.arm(1, stampedAgo: .milliseconds(400))
        #expect(bench.status.state == .armed)
        #expect(bench.status.deadline == bench.now.advanced(by: .milliseconds(2600)))
    }

    @Test func `LE3: late and repeated grants never move the deadline back`() {
        var bench = CoreBench.standby()
        let first = bench.now
        bench.arm(1)
        bench.advance(.milliseconds(600))
        bench.arm(1)
        let deadline = bench.status.deadline
        bench.order(.arm(token: FencingToken(1), requestedAt: first, durationMilliseconds: 3000, mode: .timed))
        #expect(bench.status.deadline == deadline)
    }

    @Test func `LE2: a request from the future is refused`() {
        var bench = CoreBench.standby()
        #expect(bench.arm(1, stampedAgo: .milliseconds(-1)) == "LE2")
    }

    @Test func `LE3: a duration outside 10 minutes and a lease that is over are refused`() {
        var bench = CoreBench.standby()
        #expect(bench.arm(1, milliseconds: 600_001) == "LE3")
        #expect(bench.arm(1, milliseconds: 0) == "LE3")
        #expect(bench.arm(1, stampedAgo: .milliseconds(2500)) == "LE3")
        #expect(bench.status.state == .standby)
    }

    @Test func `LE4: fencing begins at the deadline less the stop budget, not before`() {
        var bench = CoreBench.primary()
        let granted = bench.now
        bench.advance(.milliseconds(2499))
        #expect(bench.status.state == .primary)
        bench.advance(.milliseconds(1))
        #expect(bench.instant(of: .immediate) == granted.advanced(by: .milliseconds(2500)))
        bench.advance(.milliseconds(100))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.highestFenced == FencingToken(1))
    }

    @Test func `LE4: a lease renewed in time never ends`() {
        var bench = CoreBench.primary()
        for _ in 0..<100 {
            bench.advance(.milliseconds(2400))
            #expect(bench.arm(1) == nil)
        }
        #expect(bench.status.state == .primary)
    }

    @Test func `LE4: a grant after fencing began is refused`() {
        var bench = CoreBench.primary()
        bench.endsOn = []
        bench.now = bench.now.advanced(by: .milliseconds(2500))
        #expect(bench.arm(1, stampedAgo: .milliseconds(10)) == "LE4")
        #expect(bench.status.state == .fencing)
    }

    @Test(arguments: [(600, 200), (1200, 200), (3000, 500), (6000, 1000), (60000, 1000)])
    func `LE4: the stop budget is a sixth of the lease within 200 ms and 1 s`(lease: Int64, budget: Int64) {
        var bench = CoreBench.standby()
        bench.arm(1, milliseconds: lease)
        #expect(bench.core.stopBudget == .milliseconds(budget))
        #expect(bench.core.fenceAt(bench.now) == bench.now.advanced(by: .milliseconds(lease - budget)))
    }

    @Test func `LE1: a suspension of more than 1 ms since the request ends the lease at once`() {
        var bench = CoreBench.primary()
        bench.suspend(.milliseconds(1))
        bench.feed(.tick)
        #expect(bench.status.state == .primary)
        bench.suspend(.microseconds(1))
        bench.feed(.tick)
        #expect(bench.status.state != .primary)
        #expect(bench.signals.contains(.kill), "nothing is left of the lease: SIGKILL at once")
    }

    @Test func `LE1: a grant whose request was stamped after the suspension counts`() {
        var bench = CoreBench.primary()
        bench.advance(.milliseconds(100))
        let before = bench.now
        bench.suspend(.seconds(1))
        // The renewal was stamped after the resume; the guard reads LE1 with the order in hand.
        #expect(bench.arm(2) == "LE4")
        #expect(bench.status.state == .fencing || bench.status.state == .fenced)
        var fresh = CoreBench.standby()
        fresh.now = before
        fresh.suspend(.seconds(1))
        #expect(fresh.arm(1) == nil)
        fresh.advance(.milliseconds(500))
        #expect(fresh.status.state == .armed)
    }

    @Test func `LE1: the clock is read every 50 ms while a deadline exists, never otherwise (GU2)`() {
        var bench = CoreBench.standby()
        #expect(bench.timer == nil)
        bench.arm(1)
        #expect(bench.timer == bench.now.advanced(by: .milliseconds(50)))
        bench.advance(.milliseconds(100))
        #expect(bench.timer == bench.now.advanced(by: .milliseconds(50)))
    }

    @Test func `LE5: a token of an earlier guard is never armed`() {
        let saved = SavedGuardState(
            clusterID: nil, incarnation: GuardIncarnation(rawValue: 1), highestToken: FencingToken(4),
            highestFenced: .never, fencedToken: nil, fenceReason: nil)
        var bench = CoreBench(saved: saved)
        #expect(bench.arm(4) == "LE5")
        #expect(bench.arm(3) == "GU4")
        #expect(bench.arm(5) == nil)
    }

    @Test func `LE5: the token cannot be raised while the server is writable`() {
        var bench = CoreBench.primary()
        #expect(bench.arm(2) == "LE5")
        #expect(bench.status.token == FencingToken(1))
        bench.crash()
        bench.advance(.milliseconds(50))
        #expect(bench.arm(2) == nil)
        #expect(bench.status.token == FencingToken(2))
    }

    @Test func `4.10: in mode sole an arm has no end`() {
        var bench = CoreBench.primary(milliseconds: 0, mode: .sole)
        #expect(bench.status.deadline == nil)
        #expect(bench.timer == nil)
        bench.suspend(.seconds(3600))
        bench.advance(.seconds(36000))
        bench.feed(.tick)
        #expect(bench.status.state == .primary)
    }

    @Test func `LE12: sole to timed is lowered only when enough is left`() {
        var bench = CoreBench.primary(milliseconds: 3000, mode: .sole)
        bench.advance(.seconds(10))
        #expect(bench.order(.lower(.timed(durationMilliseconds: 3000))) == "LE12")
        #expect(bench.status.mode == .sole)
        bench.arm(1, stampedAgo: .milliseconds(100), mode: .sole)
        #expect(bench.order(.lower(.timed(durationMilliseconds: 3000))) == nil)
        #expect(bench.status.mode == .timed)
        #expect(bench.status.deadline == bench.now.advanced(by: .milliseconds(2900)))
        #expect(bench.status.lowered == [.timed(durationMilliseconds: 3000)])
    }

    @Test func `LE12: no late sole grant brings the endless lease back`() {
        var bench = CoreBench.primary(mode: .sole)
        bench.order(.lower(.timed(durationMilliseconds: 3000)))
        bench.advance(.milliseconds(100))
        bench.arm(1, milliseconds: 3000, mode: .sole)
        #expect(bench.status.mode == .timed)
        bench.advance(.milliseconds(2700))
        #expect(bench.status.state == .fenced)
    }

    @Test func `LE12: after a lowering older requests count with the lowered terms`() {
        var bench = CoreBench.primary(milliseconds: 30000)
        let stamped = bench.now.advanced(by: .milliseconds(50))
        bench.advance(.milliseconds(100))
        #expect(bench.order(.lower(.duration(milliseconds: 3000))) == nil)
        bench.order(.arm(token: FencingToken(1), requestedAt: stamped, durationMilliseconds: 30000, mode: .timed))
        #expect(bench.status.deadline == stamped.advanced(by: .seconds(3)))
        bench.advance(.milliseconds(100))
        bench.arm(1, milliseconds: 30000)
        #expect(bench.status.deadline == bench.now.advanced(by: .seconds(30)))
    }

    @Test func `LE12: a lowering that leaves less than the stop budget is refused`() {
        var bench = CoreBench.primary(milliseconds: 30000)
        bench.advance(.milliseconds(2800))
        #expect(bench.order(.lower(.duration(milliseconds: 3000))) == "LE12")
        #expect(bench.status.state == .primary)
        #expect(bench.status.lowered.isEmpty)
    }

    @Test func `4.8: a hold keeps the server beyond the lease`() {
        var bench = CoreBench.primary()
        #expect(bench.order(bench.hold(1, milliseconds: 60000)) == nil)
        bench.advance(.seconds(45))
        #expect(bench.status.state == .primary)
        #expect(bench.status.deadline != nil)
    }

    @Test func `4.8: ten seconds before the end of a hold the server is stopped cleanly`() {
        var bench = CoreBench.primary()
        let begin = bench.now
        bench.order(bench.hold(1, milliseconds: 60000))
        bench.advance(.seconds(49))
        #expect(bench.instant(of: .fastStop) == nil)
        bench.advance(.milliseconds(1100))
        #expect(bench.instant(of: .fastStop)?.since(begin) == .seconds(50))
        #expect(bench.status.state == .armed)
        #expect(bench.status.lastExit?.cause == .ordered)
        bench.advance(.seconds(10))
        #expect(bench.status.state == .fenced)
    }

    @Test func `4.8: a lease renewed during a hold prevents the stop at its end`() {
        var bench = CoreBench.primary()
        bench.order(bench.hold(1, milliseconds: 60000))
        for _ in 0..<30 {
            bench.advance(.seconds(2))
            bench.arm(1)
        }
        #expect(bench.status.state == .primary)
        #expect(bench.signals.contains(.fastStop) == false)
    }

    @Test func `LE12: a hold ends only after the lease was renewed, and never comes back`() {
        var bench = CoreBench.primary()
        let late = bench.hold(1, milliseconds: 60000)
        bench.order(late)
        bench.advance(.seconds(20))
        #expect(bench.order(.lower(.endHold(id: 1))) == "LE12")
        bench.arm(1)
        #expect(bench.order(.lower(.endHold(id: 1))) == nil)
        #expect(bench.status.holdID == nil)
        #expect(bench.status.deadline == bench.now.advanced(by: .seconds(3)))
        #expect(bench.order(late) == "LE12")
    }
}

extension CoreBench {
    func hold(_ id: UInt64, milliseconds: Int64) -> GuardOrder {
        .hold(id: id, token: FencingToken(1), requestedAt: now, durationMilliseconds: milliseconds)
    }
}
