import CLinux
import ClusterModel
import FailoverCore
import Glibc
import Testing

@testable import Guard

/// A real guard loop over a real PostgreSQL.
@Suite(.serialized) struct GuardProcessTests {
    @Test func `GU1: every process of a busy primary is gone before the lease ends`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        let requestedAt = try bench.startPrimary(client, milliseconds: 6000)
        var sessions: [Int32] = []
        for _ in 0..<10 { sessions.append(bench.startBusySession()) }
        #expect(waitUntil { bench.query("select count(*) from pg_stat_activity where state = 'active'") == "11" })
        #expect(waitUntil(.seconds(10)) { client.lastStatus.state == .fenced })
        let took = SystemClock.now().since(requestedAt)
        #expect(took > .milliseconds(5000) && took < .milliseconds(6000), "fenced after \(took)")
        #expect(bench.countProcesses() == 0)
        #expect(client.lastStatus.allProcessesGone && !client.lastStatus.mayBeWritable)
        for session in sessions { waitpid(session, nil, 0) }
        client.close()
    }

    @Test
    func `LE11: after the postmaster is killed its orphans are gone before it is reported, and it starts in place`()
        throws
    {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        _ = try bench.startPrimary(client, milliseconds: 60000)
        #expect(bench.query("create table t as select 1 as a") == "")
        let session = bench.startBusySession()
        #expect(waitUntil { bench.query("select count(*) from pg_stat_activity where state = 'active'") == "2" })
        let postmaster = try #require(postmasterPID(client))
        kill(postmaster, SIGKILL)
        let died = SystemClock.now()
        #expect(waitUntil { client.lastStatus.state == .armed })
        #expect(SystemClock.now().since(died) < .seconds(2))
        #expect(bench.countProcesses() == 0)
        #expect(client.lastStatus.lastExit == PostmasterExit(cause: .unexpected, waitStatus: 9))
        waitpid(session, nil, 0)
        client.send(.startInPlace(bench.spec, token: FencingToken(1)))
        #expect(waitUntil(.seconds(20)) { bench.query("select a from t") == "1" })
        #expect(bench.query("select timeline_id from pg_control_checkpoint()") == "2")
        client.close()
    }

    @Test func `LE10: an ordered stop ends cleanly and keeps the lease`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        _ = try bench.startPrimary(client, milliseconds: 60000)
        client.send(.stop(budgetMilliseconds: 3000))
        #expect(waitUntil { client.lastStatus.state == .armed && client.lastStatus.allProcessesGone })
        #expect(client.lastStatus.lastExit == PostmasterExit(cause: .ordered, waitStatus: 0))
        client.send(.fence(token: FencingToken(1), reason: "release"))
        #expect(waitUntil { client.lastStatus.state == .fenced })
        client.close()
    }

    @Test func `GU3: pg_ctl promote by somebody else is fenced`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        try bench.writeStandbySignal()
        #expect(waitUntil { client.send(.status) && client.lastStatus.allProcessesGone })
        client.send(.startStandby(bench.spec))
        #expect(waitUntil(.seconds(20)) { bench.query("select pg_is_in_recovery()") == "t" })
        try Programs.runAsServerUser(Programs.postgres("pg_ctl"), ["promote", "--no-wait", "-D", bench.dataDirectory])
        #expect(waitUntil { client.lastStatus.state == .fenced })
        #expect(client.lastStatus.fenceReason?.contains("GU3") == true)
        #expect(bench.countProcesses() == 0)
        client.close()
    }

    @Test func `AG14: without standby.signal no standby is started`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        #expect(waitUntil { client.send(.status) && client.lastStatus.allProcessesGone })
        client.send(.startStandby(bench.spec))
        #expect(waitUntil { bench.hasRefusal("AG14") })
        #expect(bench.countProcesses() == 0)
        client.close()
    }

    @Test func `4.7: the server outlives its daemon until fenceAt, and the next daemon learns what happened`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let first = try bench.connect()
        _ = try bench.startPrimary(first, milliseconds: 2500)
        first.close()
        let second = try bench.connect()
        #expect(second.lastStatus.state == .primary)
        #expect(second.incarnation == first.incarnation)
        second.close()
        #expect(bench.query("select 1") == "1")
        #expect(waitUntil { bench.countProcesses() == 0 })
        let third = try bench.connect()
        #expect(waitUntil { third.lastStatus.state == .fenced })
        #expect(third.lastStatus.highestFenced == FencingToken(1))
        third.close()
        #expect(bench.disconnects == 0)
    }

    @Test func `GU5: a terminated guard stops its server cleanly and leaves`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        _ = try bench.startPrimary(client, milliseconds: 60000)
        bench.terminate()
        #expect(waitUntil(.seconds(10)) { bench.hasGuardEnded })
        #expect(bench.countProcesses() == 0)
        let control = try Programs.runAsServerUser(Programs.postgres("pg_controldata"), ["-D", bench.dataDirectory])
        #expect(control.contains("shut down\n"))
        #expect(waitUntil { bench.disconnects == 1 })
        // D15, LE5: the next guard knows the token and does not take it.
        bench.startGuard()
        let next = try bench.connect()
        #expect(next.incarnation != client.incarnation)
        next.send(
            .arm(token: FencingToken(1), requestedAt: SystemClock.now(), durationMilliseconds: 3000, mode: .timed))
        #expect(waitUntil { bench.hasRefusal("LE5") })
        next.close()
    }

    @Test func `GU1: without a guard the daemon's own sweep ends the server`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        _ = try bench.startPrimary(client, milliseconds: 60000)
        // The server is writable before all its processes are there.
        #expect(waitUntil { bench.countProcesses() > 3 })
        #expect(GuardTakeover.endServer(dataDirectory: bench.dataDirectory, patience: .milliseconds(50)))
        #expect(bench.countProcesses() == 0)
        #expect(waitUntil { client.lastStatus.lastExit?.waitStatus == 9 })
        client.close()
    }

    private func postmasterPID(_ client: GuardClient) -> Int32? { client.lastStatus.postmasterPID }
}

extension ServerBench {
    func hasRefusal(_ wanted: String) -> Bool {
        reports.contains { report in if case .refused(let rule, _, _) = report { rule == wanted } else { false } }
    }
}
