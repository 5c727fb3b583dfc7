import ClusterModel
import FailoverCore
import Testing

@Suite struct GuardCoreFenceTests {
    @Test func `GU1: SIGQUIT first, after 0.3 S the postmaster is stopped, everything killed, the postmaster last`() {
        var bench = CoreBench.primary()
        bench.endsOn = [.kill]
        bench.backends = 40
        let granted = bench.now
        bench.advance(.milliseconds(2600))
        #expect(bench.signals.last == .immediate)
        bench.advance(.milliseconds(50))
        let quit = bench.effects.firstIndex(of: .signalPostmaster(.immediate))
        let stop = bench.effects.firstIndex(of: .signalPostmaster(.stop))
        let sweep = bench.effects.firstIndex(of: .sweep(kill: true))
        let kill = bench.effects.firstIndex(of: .signalPostmaster(.kill))
        let places = [quit, stop, sweep, kill].compactMap { $0 }
        #expect(places.count == 4 && places == places.sorted())
        #expect(bench.instant(of: .stop)?.since(granted) == .milliseconds(2650))
        bench.advance(.milliseconds(60))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.lastExit?.cause == .fenced)
    }

    @Test func `GU1: past the deadline it begins with SIGKILL`() {
        var bench = CoreBench.primary()
        bench.now = bench.now.advanced(by: .milliseconds(3001))
        bench.feed(.tick)
        #expect(bench.signals.contains(.immediate) == false)
        #expect(bench.signals.suffix(2) == [.stop, .kill])
    }

    @Test func `GU1: woken late it keeps the instant of SIGKILL`() {
        var bench = CoreBench.primary()
        bench.endsOn = [.kill]
        let granted = bench.now
        bench.now = granted.advanced(by: .milliseconds(2600))
        bench.feed(.tick)
        bench.advance(.milliseconds(100))
        #expect(bench.instant(of: .stop)?.since(granted) == .milliseconds(2650))
    }

    @Test func `GU1: a server that ends on SIGQUIT is swept at once`() {
        var bench = CoreBench.primary()
        bench.advance(.milliseconds(2520))
        #expect(bench.status.state == .fenced)
        #expect(bench.signals.contains(.kill) == false)
    }

    @Test func `LE11: while a process cannot die nothing is confirmed`() {
        var bench = CoreBench.primary()
        bench.backends = 3
        bench.unkillable = 1
        bench.advance(.seconds(30))
        #expect(bench.status.state == .fencing)
        #expect(bench.status.allProcessesGone == false)
        #expect(bench.status.highestFenced == .never)
        bench.unkillable = 0
        bench.advance(.milliseconds(100))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.highestFenced == FencingToken(1))
    }

    @Test func `GU1: the fence order needs no lease end`() {
        var bench = CoreBench.primary()
        bench.order(.fence(token: FencingToken(1), reason: "asked"))
        bench.advance(.milliseconds(50))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.fenceReason == "asked")
        #expect(bench.status.mayBeWritable == false)
    }

    @Test func `D36: a fence order with an older token is refused`() {
        var bench = CoreBench.standby()
        bench.arm(5)
        #expect(bench.order(.fence(token: FencingToken(4), reason: "stale")) == "D36")
        #expect(bench.status.state == .armed)
    }

    @Test func `GU4: arming needs a token above every fenced one`() {
        var bench = CoreBench.primary()
        bench.order(.fence(token: FencingToken(3), reason: "superseded"))
        bench.advance(.milliseconds(50))
        #expect(bench.status.highestFenced == FencingToken(3))
        #expect(bench.arm(3) == "GU4")
        #expect(bench.arm(4) == nil)
        #expect(bench.status.state == .armed)
    }

    @Test func `GU4: a fenced guard starts a standby without a token`() {
        var bench = CoreBench.primary()
        bench.order(.fence(token: FencingToken(1), reason: "asked"))
        bench.advance(.milliseconds(50))
        #expect(bench.order(.startStandby(CoreBench.spec)) == nil)
        #expect(bench.status.state == .standby)
        #expect(bench.status.token == nil)
        #expect(bench.status.highestFenced == FencingToken(1))
    }

    @Test func `GU4: tokens are saved, and never while a server may be writable`() {
        var bench = CoreBench.standby()
        let before = bench.effects.filter { $0 == .saveState }.count
        bench.arm(1)
        #expect(bench.effects.filter { $0 == .saveState }.count == before + 1)
        #expect(bench.core.saved.highestToken == FencingToken(1))
        bench.order(.promote(token: FencingToken(1)))
        let count = bench.trace.count
        bench.advance(.milliseconds(2510))
        let fencedAt = bench.trace.count
        bench.advance(.milliseconds(100))
        #expect(bench.effects[count..<fencedAt].contains(.saveState) == false)
        #expect(bench.effects[fencedAt...].contains(.saveState))
        #expect(bench.core.saved.fencedToken == FencingToken(1))
    }

    @Test func `D15: the fenced state and its reason survive a restart of the guard`() {
        var bench = CoreBench.primary()
        bench.order(.fence(token: FencingToken(1), reason: "asked"))
        bench.advance(.milliseconds(50))
        let restarted = CoreBench(saved: bench.core.saved)
        #expect(restarted.status.state == .fenced)
        #expect(restarted.status.token == FencingToken(1))
        #expect(restarted.status.fenceReason == "asked")
    }

    @Test(arguments: [RogueSignal.standbySignalVanished, .foreignPromoteFile])
    func `GU3: a promotion by somebody else is fenced`(signal: RogueSignal) {
        var bench = CoreBench.standby()
        bench.feed(.rogueSignal(signal))
        bench.advance(.milliseconds(50))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.fenceReason?.contains("GU3") == true)
    }

    @Test func `GU3: the guard's own promotion is not foreign`() {
        var bench = CoreBench.primary()
        bench.feed(.rogueSignal(.foreignPromoteFile))
        bench.feed(.rogueSignal(.standbySignalVanished))
        #expect(bench.status.state == .primary)
    }

    @Test func `GU3: without a server the files are nobody's business`() {
        var bench = CoreBench()
        bench.feed(.rogueSignal(.standbySignalVanished))
        #expect(bench.status.state == .empty)
    }

    @Test func `GU5: SIGTERM stops the server within the lease and ends the guard`() {
        var bench = CoreBench.primary()
        bench.feed(.terminate)
        #expect(bench.signals.last == .fastStop)
        bench.advance(.milliseconds(50))
        #expect(bench.effects.last == .exit)
        #expect(bench.status.lastExit?.cause == .ordered)
    }

    @Test func `GU5: a server that does not stop is fenced at the deadline`() {
        var bench = CoreBench.primary()
        bench.endsOn = [.kill]
        bench.feed(.terminate)
        bench.advance(.milliseconds(2700))
        #expect(bench.status.state == .fenced)
        #expect(bench.effects.contains(.exit))
    }

    @Test func `GU5: an ending guard starts nothing and takes no new token`() {
        var bench = CoreBench.standby()
        bench.endsOn = []
        bench.feed(.terminate)
        #expect(bench.arm(1) != nil)
        bench.crash()
        #expect(bench.order(.startStandby(CoreBench.spec)) == "GU5")
    }

    @Test func `GU5: without a server the guard ends at once`() {
        var bench = CoreBench()
        bench.feed(.terminate)
        #expect(bench.effects.last == .exit)
    }

    @Test func `4.12: tokens count per cluster, and the cluster changes only without a lease`() {
        let first = ClusterID(rawValue: 1)
        let second = ClusterID(rawValue: 2)
        var bench = CoreBench(clusterID: first)
        bench.arm(9)
        #expect(bench.feed(.cluster(second)) == "D67")
        bench.order(.fence(token: FencingToken(9), reason: "release"))
        #expect(bench.feed(.cluster(second)) == nil)
        #expect(bench.core.clusterID == second)
        #expect(bench.arm(1) == nil)
    }
}
