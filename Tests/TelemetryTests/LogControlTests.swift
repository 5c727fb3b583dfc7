import ClusterModel
import Glibc
import Logging
import Synchronization
import Testing

@testable import Telemetry

private final class MemoryOutput: LogOutput {
    private let stored = Mutex<[String]>([])
    var lines: [String] { stored.withLock { $0 } }
    func write(_ line: LogLine, format: LogLine.Format) {
        stored.withLock { $0.append(line.rendered(format)) }
    }
}

struct LogControlTests {
    private let output = MemoryOutput()
    private func control(_ level: LogLine.Level = .info) -> LogControl {
        LogControl(node: NodeName("node1"), level: level, output: output, wallTime: { LogLineTests.time })
    }

    @Test func `the logger adds the node and keeps its metadata`() {
        var logger = control().logger("raft")
        logger[metadataKey: "term"] = "7"
        logger.info("became leader", metadata: ["event": "raft.became_leader"])
        logger.error("lost leader", metadata: ["event": "raft.lost_leader", "node": "node3"])
        #expect(
            output.lines == [
                "2026-02-17T02:00:00.123Z INFO became leader event=raft.became_leader node=node1 term=7",
                "2026-02-17T02:00:00.123Z ERROR lost leader event=raft.lost_leader node=node3 term=7",
            ])
    }

    @Test func `level and format change while the process runs`() {
        let control = control()
        let logger = control.logger("x")
        logger.debug("one")
        control.level = .debug
        logger.debug("two")
        control.level = .error
        logger.warning("three")
        control.format = .json
        logger.critical("four")
        control.write(.warn, "five", [:])
        #expect(
            output.lines == [
                "2026-02-17T02:00:00.123Z DEBUG two node=node1",
                #"{"time":"2026-02-17T02:00:00.123Z","level":"error","message":"four","node":"node1"}"#,
            ])
    }

    @Test func `repeats of a failed health check are counted, not flooded (L02)`() {
        var filter = RepeatFilter()
        let refused = ["cause": "refused", "duration_ms": "3"]
        #expect(filter.judge("health check failed", refused, now: .seconds(0)) == .write)
        for second in 1...59 {
            let again = ["cause": "refused", "duration_ms": "\(second)"]
            #expect(filter.judge("health check failed", again, now: .seconds(second)) == .suppress)
        }
        #expect(filter.judge("health check failed", ["cause": "timeout"], now: .seconds(59)) == .write)
        #expect(filter.judge("health check failed", refused, now: .seconds(60)) == .writeCounted(59))
        #expect(filter.judge("health check failed", refused, now: .seconds(61)) == .suppress)
        #expect(filter.judge("became leader", [:], now: .seconds(61)) == .write)
        #expect(filter.judge("became leader", [:], now: .seconds(61)) == .write)
    }

    @Test func `many lines from many threads all arrive`() async {
        let logger = control().logger("x")
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for number in 0..<200 { logger.info("line", metadata: ["n": "\(task)-\(number)"]) } }
            }
        }
        #expect(Set(output.lines).count == 1_600)
    }

    @Test func `the journal gets a datagram for each line`() throws {
        let path = "/tmp/pgbastion-journal-\(getpid())"
        let server = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        defer {
            close(server)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let journal = try #require(JournalOutput(path: path))
        let line = LogLine(time: LogLineTests.time, level: .info, message: "m", fields: ["event": "e"])
        journal.write(line, format: .text)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(server, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        #expect(Array(buffer.prefix(max(count, 0))) == JournalOutput.datagram(line))
        #expect(JournalOutput(path: "/nonexistent/journal") == nil)
    }

    @Test func `only a standard error that is the journal counts as one`() {
        #expect(!JournalOutput.isStandardErrorTheJournal(nil))
        #expect(!JournalOutput.isStandardErrorTheJournal("1:1"))
    }
}
