import ClusterModel
import FailoverCore
import Testing

@Suite struct GuardCoreAdoptionTests {
    @Test func `AG5: a running server is adopted without a restart, and gets its lease afterwards`() {
        var bench = CoreBench.adopted()
        #expect(bench.status.state == .primary)
        #expect(bench.status.token == nil)
        #expect(bench.status.isAdopted == true)
        #expect(bench.status.postmasterPID == CoreBench.strangerPID)
        #expect(bench.status.mayBeWritable)
        #expect(bench.signals.isEmpty)
        // Without a deadline until the first `Arm`.
        bench.advance(.seconds(60))
        #expect(bench.status.state == .primary)
        #expect(bench.arm(1) == nil)
        #expect(bench.status.state == .primary)
        #expect(bench.status.token == FencingToken(1))
        #expect(bench.status.deadline != nil)
        #expect(bench.signals.isEmpty)
    }

    @Test func `LE4: an adopted primary is fenced at the end of its lease as any other`() {
        var bench = CoreBench.adopted()
        bench.arm(1)
        bench.advance(.milliseconds(2499))
        #expect(bench.signals.isEmpty)
        bench.advance(.milliseconds(501))
        #expect(bench.signals.first == .immediate)
        #expect(bench.status.state == .fenced)
        #expect(bench.status.isAdopted == nil)
    }

    @Test func `LE5: the token of an adopted primary is raised once, and not again while it runs`() {
        var bench = CoreBench.adopted()
        bench.arm(1)
        #expect(bench.arm(2) == "LE5")
    }

    @Test func `AG5: a server in recovery is adopted as a standby, and only with standby.signal`() {
        var bench = CoreBench(settled: false)
        bench.strangerStarts(writable: false, noticed: false)
        bench.feed(.tick)
        #expect(bench.status.stranger?.pid == CoreBench.strangerPID)
        #expect(bench.adopt(.standby, standbySignal: false) == "AG14")
        #expect(bench.adopt(.standby, standbySignal: true) == nil)
        #expect(bench.status.state == .standby)
        #expect(bench.status.stranger == nil)
        #expect(!bench.status.mayBeWritable)
    }

    @Test func `GU3: an adopted standby that somebody promotes is fenced`() {
        var bench = CoreBench()
        bench.strangerStarts(writable: false)
        bench.adopt(.standby)
        bench.feed(.rogueSignal(.standbySignalVanished))
        bench.advance(.milliseconds(200))
        #expect(bench.status.state == .fenced)
        #expect(bench.signals.first == .immediate)
    }

    @Test func `D61: what is not the postmaster it seems to be is refused`() {
        var bench = CoreBench(settled: false)
        bench.strangerStarts(writable: true, noticed: false)
        bench.feed(.tick)
        #expect(bench.adopt(.firstPrimary, mismatch: "it works in another directory") == "D61")
        #expect(bench.status.state == .empty)
        #expect(bench.status.postmasterPID == nil)
    }

    @Test func `AG1: after the first token no writable server is adopted`() {
        var bench = CoreBench()
        bench.arm(1)
        bench.order(.fence(token: FencingToken(1), reason: "test"))
        #expect(bench.adopt(.firstPrimary) == "AG1")
    }

    @Test func `AG12: what is started again by hand under its own lease may be adopted`() {
        var bench = CoreBench.primary()
        bench.crash()
        bench.advance(.milliseconds(50))
        #expect(bench.status.state == .armed)
        bench.strangerStarts(writable: true)
        #expect(bench.status.state == .armed, "the daemon decides")
        #expect(bench.adopt(.primary(FencingToken(2))) == "D1")
        #expect(bench.adopt(.primary(FencingToken(1))) == nil)
        #expect(bench.status.state == .primary)
        #expect(bench.status.isAdopted == true)
    }

    @Test func `AG1: a writable server that was started before its node's promotion is ended at once`() {
        var bench = CoreBench()
        bench.arm(1)
        bench.strangerStarts(writable: true)
        bench.advance(.milliseconds(200))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.highestFenced == FencingToken(1))
    }

    @Test func `AG1: a writable server in a directory this guard knows is ended by GU1, also without a daemon`() {
        var bench = CoreBench.standby()
        bench.order(.stop(budgetMilliseconds: 1000))
        bench.advance(.milliseconds(100))
        #expect(bench.status.state == .empty)
        bench.strangerStarts(writable: true)
        #expect(bench.status.state == .fencing)
        #expect(bench.signals.last == .immediate)
        bench.advance(.milliseconds(300))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.allProcessesGone)
        #expect(bench.status.fenceReason?.contains("AG1") == true)
        #expect(bench.order(.startStandby(CoreBench.spec)) == nil)
    }

    @Test func `AS4: a server is noticed within a second when its pid file was not`() {
        var bench = CoreBench.standby()
        bench.order(.stop(budgetMilliseconds: 1000))
        bench.advance(.milliseconds(100))
        bench.strangerStarts(writable: true, noticed: false)
        bench.advance(.milliseconds(1300))
        #expect(bench.status.state == .fenced)
    }

    @Test func `AS4: a new guard reports what runs, and leaves the decision to its daemon`() {
        var bench = CoreBench(settled: false)
        bench.strangerStarts(writable: true, noticed: false)
        bench.feed(.tick)
        bench.advance(.seconds(10))
        #expect(bench.status.stranger == bench.stranger)
        #expect(!bench.status.allProcessesGone)
        #expect(bench.signals.isEmpty)
        #expect(bench.order(.startStandby(CoreBench.spec)) == "AG14")
        #expect(bench.order(.fence(token: FencingToken(3), reason: "AG1")) == nil)
        bench.advance(.milliseconds(300))
        #expect(bench.status.state == .fenced)
        #expect(bench.stranger == nil)
    }

    @Test func `LE11: a fence looks before it confirms, whatever was true earlier`() {
        var bench = CoreBench.primary()
        bench.crash()
        bench.advance(.milliseconds(50))
        #expect(bench.status.allProcessesGone)
        bench.backends = 2
        bench.unkillable = 1
        bench.order(.fence(token: FencingToken(1), reason: "release"))
        #expect(bench.status.state == .fencing, "a process lives")
        bench.unkillable = 0
        bench.advance(.milliseconds(100))
        #expect(bench.status.state == .fenced)
    }

    @Test func `AG14: nothing is started beside processes that were counted just before`() {
        var bench = CoreBench()
        bench.stranger = StrangerServer(pid: 200, mayBeWritable: false, hasStandbySignal: true, systemIdentifier: 42)
        #expect(bench.feed(.order(.startStandby(CoreBench.spec), standbySignal: true, processes: 1)) == "LE11")
        #expect(bench.status.stranger?.pid == 200)
    }

    @Test func `a process that is gone before it could be adopted leaves an empty guard`() {
        var bench = CoreBench()
        #expect(bench.adopt(.standby) == nil)
        bench.advance(.milliseconds(100))
        #expect(bench.status.state == .empty)
        #expect(bench.status.allProcessesGone)
    }

    @Test func `4_12: the only data node may found a new cluster over its running server`() {
        var bench = CoreBench.primary(mode: .sole)
        bench.feed(.cluster(ClusterID(rawValue: 1)))
        bench.feed(.cluster(ClusterID(rawValue: 2)))
        #expect(bench.core.clusterID == ClusterID(rawValue: 2))
        #expect(bench.status.state == .primary)
        #expect(bench.status.token == nil)
        #expect(bench.status.isAdopted == true)
        #expect(bench.arm(1) == nil)
        #expect(bench.status.token == FencingToken(1))
        #expect(bench.signals == [.promoteFileAndUSR1])
    }

    @Test func `an adopted server that ends before its first lease leaves an empty guard`() {
        var bench = CoreBench.adopted()
        bench.crash()
        bench.advance(.milliseconds(100))
        #expect(bench.status.state == .empty)
        #expect(bench.status.isAdopted == nil)
    }
}
