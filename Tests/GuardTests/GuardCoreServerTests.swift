import ClusterModel
import FailoverCore
import Testing

@Suite struct GuardCoreServerTests {
    @Test func `AG14: a standby is started only with standby.signal in place`() {
        var bench = CoreBench()
        #expect(bench.feed(.order(.startStandby(CoreBench.spec), standbySignal: false)) == "AG14")
        #expect(bench.status.state == .empty)
        #expect(bench.feed(.order(.startStandby(CoreBench.spec), standbySignal: true)) == nil)
        #expect(bench.status.state == .standby)
        #expect(bench.status.postmasterPID == 100)
        #expect(bench.status.mayBeWritable == false)
    }

    @Test func `AG14: a second server is refused`() {
        var bench = CoreBench.standby()
        #expect(bench.order(.startStandby(CoreBench.spec)) == "AG14")
    }

    @Test func `LE11: a new guard starts nothing before two passes found no process`() {
        var bench = CoreBench(settled: false)
        bench.backends = 3
        bench.feed(.tick)
        #expect(bench.status.allProcessesGone == false)
        #expect(bench.order(.startStandby(CoreBench.spec)) == "LE11")
        #expect(bench.effects.contains(.sweep(kill: true)) == false, "what it did not start it does not kill")
        bench.backends = 0
        bench.order(.status)
        bench.advance(.milliseconds(20))
        #expect(bench.status.allProcessesGone)
        #expect(bench.order(.startStandby(CoreBench.spec)) == nil)
    }

    @Test func `D1: only the holder of the token is promoted`() {
        var bench = CoreBench.standby()
        #expect(bench.order(.promote(token: FencingToken(1))) == "D1")
        bench.arm(2)
        #expect(bench.order(.promote(token: FencingToken(1))) == "D1")
        #expect(bench.order(.promote(token: FencingToken(2))) == nil)
        #expect(bench.status.state == .primary)
        #expect(bench.status.mayBeWritable)
    }

    @Test func `LE4: no promotion with less than twice the stop budget left`() {
        var bench = CoreBench.standby()
        bench.arm(1)
        bench.advance(.milliseconds(2001))
        #expect(bench.order(.promote(token: FencingToken(1))) == "LE4")
        bench.arm(1)
        #expect(bench.order(.promote(token: FencingToken(1))) == nil)
    }

    @Test func `D59: a token promotes once`() {
        var bench = CoreBench.primary()
        bench.crash()
        bench.advance(.milliseconds(50))
        bench.order(.startStandby(CoreBench.spec))
        #expect(bench.status.state == .armed)
        #expect(bench.order(.promote(token: FencingToken(1))) == "D59")
    }

    @Test func `LE11: after a crash the server counts as writable until its last backend is gone`() {
        var bench = CoreBench.primary()
        bench.backends = 5
        bench.crash()
        #expect(bench.status.state == .primary)
        #expect(bench.status.mayBeWritable)
        #expect(bench.status.lastExit == PostmasterExit(cause: .unexpected, waitStatus: 11))
        bench.advance(.milliseconds(60))
        #expect(bench.status.state == .armed)
        #expect(bench.status.mayBeWritable == false)
        #expect(bench.status.allProcessesGone)
    }

    @Test func `LE11: two empty passes are 20 ms apart`() {
        var bench = CoreBench.primary()
        let died = bench.now
        bench.crash()
        bench.advance(.milliseconds(19))
        #expect(bench.status.allProcessesGone == false)
        bench.advance(.milliseconds(1))
        #expect(bench.status.allProcessesGone)
        #expect(bench.now.since(died) == .milliseconds(20))
    }

    @Test func `5.2: a crashed primary starts in place under its token`() {
        var bench = CoreBench.primary()
        #expect(bench.order(.startInPlace(CoreBench.spec, token: FencingToken(1))) == "AG14")
        bench.crash()
        #expect(bench.order(.startInPlace(CoreBench.spec, token: FencingToken(1))) == "LE11")
        bench.advance(.milliseconds(50))
        #expect(bench.order(.startInPlace(CoreBench.spec, token: FencingToken(2))) == "D1")
        #expect(
            bench.feed(.order(.startInPlace(CoreBench.spec, token: FencingToken(1)), standbySignal: true)) == "AG14")
        #expect(bench.feed(.order(.startInPlace(CoreBench.spec, token: FencingToken(1)), standbySignal: false)) == nil)
        #expect(bench.status.state == .primary)
        #expect(bench.status.mayBeWritable)
        #expect(bench.effects.contains(.spawn(CoreBench.spec, standby: false)))
    }

    @Test func `AG14: a token that was never primary here does not start in place`() {
        var bench = CoreBench()
        bench.arm(1)
        #expect(bench.status.state == .armed)
        #expect(bench.order(.startInPlace(CoreBench.spec, token: FencingToken(1))) == "AG14")
    }

    @Test func `LE4: no start in place with less than 1 s left`() {
        var bench = CoreBench.primary()
        bench.crash()
        bench.advance(.milliseconds(2001))
        #expect(bench.order(.startInPlace(CoreBench.spec, token: FencingToken(1))) == "LE4")
    }

    @Test func `LE10: an ordered stop keeps the lease and reports a clean end`() {
        var bench = CoreBench.primary()
        bench.order(.stop(budgetMilliseconds: 3000))
        bench.advance(.milliseconds(50))
        #expect(bench.status.state == .armed)
        #expect(bench.status.lastExit == PostmasterExit(cause: .ordered, waitStatus: 0))
        #expect(bench.status.allProcessesGone)
        // To release, the daemon fences the token: confirmed at once, since nothing runs.
        bench.order(.fence(token: FencingToken(1), reason: "release"))
        #expect(bench.status.state == .fenced)
        #expect(bench.arm(1) == "GU4")
    }

    @Test func `D39: a stop that does not end is escalated stage by stage`() {
        var bench = CoreBench.primary(milliseconds: 60000)
        bench.endsOn = [.kill]
        bench.backends = 2
        let begin = bench.now
        bench.order(.stop(budgetMilliseconds: 3000))
        bench.advance(.seconds(6))
        #expect(bench.instant(of: .terminateBackends)?.since(begin) == .seconds(3))
        #expect(bench.instant(of: .immediate)?.since(begin) == .seconds(4))
        #expect(bench.instant(of: .kill)?.since(begin) == .seconds(5))
        #expect(bench.status.state == .armed)
        #expect(bench.status.lastExit?.cause == .fenced, "killed by the guard: not a clean stop")
    }

    @Test func `LE4: the deadline rules during a stop as well`() {
        var bench = CoreBench.primary()
        bench.endsOn = [.immediate]
        bench.order(.stop(budgetMilliseconds: 60000))
        bench.advance(.milliseconds(2600))
        #expect(bench.status.state == .fenced)
    }

    @Test func `a stopped standby leaves an empty guard`() {
        var bench = CoreBench.standby()
        bench.order(.stop(budgetMilliseconds: 3000))
        #expect(bench.status.state == .stopping)
        bench.advance(.milliseconds(50))
        #expect(bench.status.state == .empty)
        #expect(bench.status.token == nil)
    }

    @Test func `a reload reaches a running server only`() {
        var bench = CoreBench()
        bench.order(.reload)
        #expect(bench.signals.isEmpty)
        bench.order(.startStandby(CoreBench.spec))
        bench.order(.reload)
        #expect(bench.signals == [.reload])
    }

    @Test func `status and ping are always answered`() {
        var bench = CoreBench.standby()
        let count = bench.trace.count
        bench.order(.ping)
        #expect(bench.effects[count...].contains(.report(.status(bench.status))))
    }
}
