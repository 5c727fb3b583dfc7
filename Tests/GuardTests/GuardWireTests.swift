import CLinux
import ClusterModel
import FailoverCore
import Glibc
import Testing

@testable import Guard

/// The wire between daemon and guard, over a real socket, without a server.
@Suite(.serialized) struct GuardWireTests {
    @Test func `4.7: clocks that differ by more than 50 ms are refused on both sides`() {
        let a = ClockStamp(raw: 1_000_000_000, suspended: 5)
        #expect(GuardWire.agree(a, a.advanced(by: .milliseconds(50))))
        #expect(GuardWire.agree(a, a.advanced(by: .milliseconds(51))) == false)
        #expect(GuardWire.agree(a, ClockStamp(raw: a.raw, suspended: 60_000_000)) == false)
    }

    @Test func `4.7: a daemon with another clock or version is turned away`() throws {
        let bench = try ServerBench(withDatabase: false)
        defer { bench.cleanUp() }
        try bench.connect().close()
        var strange = GuardHello(version: GuardWire.version, clusterID: nil, instant: SystemClock.now())
        strange.instant.raw += 3_600_000_000_000
        #expect(rejection(bench, .hello(strange))?.contains("clocks") == true)
        strange.instant = SystemClock.now()
        strange.version = 99
        #expect(rejection(bench, .hello(strange))?.contains("version") == true)
        #expect(rejection(bench, .order(.ping))?.contains("hello") == true)
    }

    @Test func `4.7: one daemon at a time, the newer replaces the older`() throws {
        let bench = try ServerBench(withDatabase: false)
        defer { bench.cleanUp() }
        let first = try bench.connect()
        let second = try bench.connect()
        #expect(waitUntil { bench.disconnects == 1 })
        #expect(waitUntil { !first.send(.ping) })
        #expect(second.send(.ping))
        #expect(waitUntil { !bench.reports.isEmpty })
        second.close()
    }

    @Test func `4.12: a guard with a lease refuses the daemon of another cluster`() throws {
        let bench = try ServerBench(withDatabase: false, clusterID: ClusterID(rawValue: 1))
        defer { bench.cleanUp() }
        let client = try bench.connect()
        client.send(
            .arm(token: FencingToken(3), requestedAt: SystemClock.now(), durationMilliseconds: 60000, mode: .timed))
        #expect(waitUntil { client.lastStatus.state == .armed })
        let hello = GuardHello(
            version: GuardWire.version, clusterID: ClusterID(rawValue: 2), instant: SystemClock.now())
        #expect(rejection(bench, .hello(hello))?.contains("another cluster") == true)
        client.send(.fence(token: FencingToken(3), reason: "release"))
        #expect(waitUntil { client.lastStatus.state == .fenced })
        client.close()
    }

    @Test func `a second guard of the same state directory is refused`() throws {
        let bench = try ServerBench(withDatabase: false)
        defer { bench.cleanUp() }
        let client = try bench.connect()
        let error = #expect(throws: BastionError.self) {
            try GuardProcess.runInProcess(arguments: bench.arguments, terminator: GuardTerminator())
        }
        #expect(error?.code == .locked)
        #expect(client.send(.ping), "the first guard keeps its socket")
        client.close()
    }

    @Test func `a guard without daemon and server ends by itself`() throws {
        let bench = try ServerBench(withDatabase: false, idleLimit: .milliseconds(300))
        defer { bench.cleanUp() }
        let client = try bench.connect()
        #expect(waitUntil(.milliseconds(500)) { bench.hasGuardEnded } == false, "a connected daemon keeps it")
        client.close()
        #expect(waitUntil { bench.hasGuardEnded })
        #expect(access(bench.arguments.socketPath, F_OK) != 0)
    }

    @Test func `a program that cannot be executed is a server that ended`() throws {
        let bench = try ServerBench(withDatabase: false)
        defer { bench.cleanUp() }
        let client = try bench.connect()
        try Programs.run("/bin/touch", [bench.dataDirectory + "/standby.signal"])
        #expect(waitUntil { client.send(.status) && client.lastStatus.allProcessesGone })
        var spec = bench.spec
        spec.program = "/nowhere/postgres"
        client.send(.startStandby(spec))
        #expect(waitUntil { client.lastStatus.lastExit?.waitStatus == 127 << 8 && client.lastStatus.state == .empty })
        client.close()
    }

    @Test func `the command line of the subcommand reads back`() throws {
        let arguments = GuardArguments(
            stateDirectory: "/s", runDirectory: "/r", dataDirectory: "/d", clusterID: ClusterID(rawValue: 255))
        #expect(try GuardArguments(commandLine: arguments.commandLine) == arguments)
        #expect(throws: BastionError.self) { try GuardArguments(commandLine: ["--state-dir", "/s"]) }
    }

    /// The reason with which the guard turns `message` away as the first of a connection.
    private func rejection(_ bench: ServerBench, _ message: DaemonMessage) -> String? {
        let socket = GuardSocket(descriptor: pgb_seqpacket_connect(bench.arguments.socketPath))
        socket.setReceiveTimeout(seconds: 2)
        guard socket.send(message), case .packet(let bytes) = socket.receive() else { return nil }
        do {
            guard case .rejected(let reason) = try GuardWire.decode(GuardMessage.self, from: bytes) else { return nil }
            return reason
        } catch {
            return nil
        }
    }
}
