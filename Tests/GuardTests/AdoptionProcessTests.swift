import CLinux
import ClusterModel
import FailoverCore
import Glibc
import Testing

@testable import Guard

/// A real guard loop over a real PostgreSQL that somebody else started.
@Suite(.serialized) struct AdoptionProcessTests {
    @Test func `AG5: a running server is adopted, keeps its sessions, and is fenced when its lease ends`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        try bench.startStranger()
        let session = bench.startBusySession()
        let client = try bench.connect()
        let pid = try #require(bench.foreignPID())
        #expect(waitUntil { client.send(.status) && client.lastStatus.stranger?.pid == pid })
        #expect(client.lastStatus.stranger?.mayBeWritable == true)
        #expect(
            client.lastStatus.stranger?.systemIdentifier.map { "\($0)" } == bench.query("select system_identifier from pg_control_system()")
        )
        client.send(.adopt(bench.adoption(of: pid, .firstPrimary)))
        #expect(waitUntil { client.lastStatus.state == .primary && client.lastStatus.postmasterPID == pid })
        #expect(client.lastStatus.isAdopted == true)
        #expect(bench.query("select count(*) from pg_stat_activity where state = 'active'") == "2")
        let requestedAt = SystemClock.now()
        client.send(.arm(token: FencingToken(1), requestedAt: requestedAt, durationMilliseconds: 3000, mode: .timed))
        #expect(waitUntil { client.lastStatus.token == FencingToken(1) })
        #expect(waitUntil(.seconds(10)) { client.lastStatus.state == .fenced })
        #expect(SystemClock.now().since(requestedAt) < .milliseconds(3000))
        #expect(bench.countProcesses() == 0)
        waitpid(session, nil, 0)
        client.close()
    }

    @Test func `D61: a process is adopted only if pid file, program, directory and port are what they should be`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        try bench.startStranger()
        let pid = try #require(bench.foreignPID())
        let right = bench.adoption(of: pid, .firstPrimary)
        #expect(PostmasterIdentity.mismatch(with: right) == nil)
        var other = right
        other.port = 5433
        #expect(PostmasterIdentity.mismatch(with: other)?.contains("port 5432") == true)
        other = right
        other.program = "/bin/sh"
        #expect(PostmasterIdentity.mismatch(with: other)?.contains("runs") == true)
        other = right
        other.pid = getpid()
        #expect(PostmasterIdentity.mismatch(with: other)?.contains("pid file") == true)
        // A copy of the directory has the pid file of a server that works elsewhere.
        try Programs.run("/bin/cp", ["-a", bench.dataDirectory, bench.root + "/copy"])
        other = right
        other.dataDirectory = bench.root + "/copy"
        #expect(PostmasterIdentity.mismatch(with: other)?.contains("works in") == true)
        let client = try bench.connect()
        client.send(.adopt(other))
        #expect(waitUntil { bench.refusals.contains("D61") })
        #expect(client.lastStatus.postmasterPID == nil)
        // A start time that is not the process's: the number was used anew.
        let pidFile = bench.root + "/copy/postmaster.pid"
        try Programs.run("/bin/sed", ["-i", "3s/.*/1000000000/", pidFile])
        #expect(PostmasterIdentity.mismatch(with: other)?.contains("started") == true)
        client.close()
    }

    @Test func `AG1: a server started behind the guard's back is ended, and the guard can start it as standby again`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        let client = try bench.connect()
        try bench.writeStandbySignal()
        #expect(waitUntil { client.send(.status) && client.lastStatus.allProcessesGone })
        client.send(.startStandby(bench.spec))
        #expect(waitUntil(.seconds(20)) { bench.query("select pg_is_in_recovery()") == "t" })
        client.send(.stop(budgetMilliseconds: 3000))
        #expect(waitUntil { client.lastStatus.state == .empty && client.lastStatus.allProcessesGone })
        try Programs.runAsServerUser("/bin/rm", [bench.dataDirectory + "/standby.signal"])
        try bench.startStranger(waits: false)
        #expect(waitUntil(.seconds(10)) { client.lastStatus.state == .fenced })
        #expect(client.lastStatus.fenceReason?.contains("AG1") == true)
        #expect(bench.countProcesses() == 0)
        try bench.writeStandbySignal()
        client.send(.startStandby(bench.spec))
        #expect(waitUntil(.seconds(20)) { bench.query("select pg_is_in_recovery()") == "t" })
        client.close()
    }

    @Test func `GU3: an adopted standby that somebody promotes is fenced`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        try bench.writeStandbySignal()
        try bench.startStranger()
        let client = try bench.connect()
        let pid = try #require(bench.foreignPID())
        #expect(waitUntil { client.send(.status) && client.lastStatus.stranger?.mayBeWritable == false })
        client.send(.adopt(bench.adoption(of: pid, .standby)))
        #expect(waitUntil { client.lastStatus.state == .standby && client.lastStatus.postmasterPID == pid })
        try Programs.runAsServerUser(Programs.postgres("pg_ctl"), ["promote", "--no-wait", "-D", bench.dataDirectory])
        #expect(waitUntil { client.lastStatus.state == .fenced })
        #expect(bench.countProcesses() == 0)
        client.close()
    }

    @Test func `an adopted server that ends is noticed`() throws {
        let bench = try ServerBench()
        defer { bench.cleanUp() }
        try bench.startStranger()
        let client = try bench.connect()
        let pid = try #require(bench.foreignPID())
        client.send(.adopt(bench.adoption(of: pid, .firstPrimary)))
        #expect(waitUntil { client.lastStatus.state == .primary })
        kill(pid, SIGKILL)
        #expect(waitUntil { client.lastStatus.state == .empty && client.lastStatus.allProcessesGone })
        #expect(client.lastStatus.lastExit?.waitStatus == PostmasterExit.unknownWaitStatus)
        #expect(bench.countProcesses() == 0)
        client.close()
    }
}

extension ServerBench {
    /// Starts the server as an operator would: no child of the guard.
    func startStranger(waits: Bool = true) throws {
        let spec = spec
        let pid = SpawnRequest(
            program: spec.program, arguments: spec.arguments, environment: spec.environment, directory: "/",
            logFile: root + "/stranger.log"
        ).detach()
        #expect(pid > 0)
        if waits { #expect(waitUntil(.seconds(20)) { self.query("select 1") == "1" }) }
    }

    func foreignPID() -> Int32? { PostmasterIdentity.PidFile(dataDirectory: dataDirectory)?.pid }

    func adoption(of pid: Int32, _ role: AdoptionRequest.Role) -> AdoptionRequest {
        AdoptionRequest(
            role: role, pid: pid, program: Programs.postgres("postgres"), dataDirectory: dataDirectory, port: 5432)
    }

    var refusals: [String] {
        reports.compactMap { if case .refused(let rule, _, _) = $0 { rule } else { nil } }
    }
}
