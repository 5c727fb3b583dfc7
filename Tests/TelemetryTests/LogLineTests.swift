import ClusterModel
import Testing

@testable import Telemetry

struct LogLineTests {
    static let time = WallTime(milliseconds: 1_771_293_600_123)

    private func text(_ message: String, _ fields: [String: String], _ level: LogLine.Level = .info) -> String {
        LogLine(time: Self.time, level: level, message: message, fields: fields).rendered(.text)
    }

    @Test func `a line is a sentence, its event and its pairs`() {
        #expect(
            text("became leader", ["term": "7", "node": "node1", "event": "raft.became_leader"])
                == "2026-02-17T02:00:00.123Z INFO became leader event=raft.became_leader node=node1 term=7")
    }

    @Test func `well-known keys come first, the others in the order of the alphabet (L05)`() {
        let fields = [
            "zone": "b", "lsn": "16/B374D848", "op_id": "op-3", "request_id": "abc123", "node": "node2", "event": "e",
        ]
        #expect(
            text("x", fields, .warn).hasSuffix(
                "WARN x event=e node=node2 request_id=abc123 op_id=op-3 lsn=16/B374D848 zone=b"))
    }

    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("say \"no\"", "\"say \\\"no\\\"\""),
        ("a=b", "\"a=b\""), ("back\\slash", "\"back\\\\slash\""), ("line\nbreak", "\"line\\nbreak\""),
        ("bell\u{7}", "\"bell\\u0007\""), ("grüße", "grüße"),
    ])
    func `values are quoted when a reader could not see their end`(value: String, printed: String) {
        #expect(text("m", ["k": value]).hasSuffix(" m k=\(printed)"))
    }

    @Test func `a message cannot forge a second line`() {
        #expect(text("bad\nINFO forged\r", [:]).hasSuffix("INFO bad\\nINFO forged\\r"))
    }

    @Test func `json is one object on one line`() {
        let line = LogLine(
            time: Self.time, level: .error, message: "could not \"x\"\n", fields: ["event": "e", "cause": "a\tb"])
        #expect(
            line.rendered(.json)
                == #"{"time":"2026-02-17T02:00:00.123Z","level":"error","message":"could not \"x\"\n","event":"e","cause":"a\tb"}"#
        )
    }

    @Test func `times are right at the edges of the calendar`() {
        let cases: [(Int64, String)] = [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_102_444_799_000, "2099-12-31T23:59:59.000Z"),
        ]
        for (milliseconds, text) in cases { #expect(WallTime(milliseconds: milliseconds).description == text) }
    }

    @Test func `a journal entry has the pairs as fields and also in its message (L05)`() {
        let line = LogLine(
            time: Self.time, level: .warn, message: "demoted",
            fields: ["event": "failover.demoted", "request_id": "abc123", "op_id": "7", "detail": "a\nb"])
        let expected =
            Array(
                "MESSAGE=demoted event=failover.demoted request_id=abc123 op_id=7 detail=\"a\\nb\"\nPRIORITY=4\n".utf8)
            + Array("SYSLOG_IDENTIFIER=pgbastion\nPGBASTION_EVENT=failover.demoted\n".utf8)
            + Array("PGBASTION_REQUEST_ID=abc123\nPGBASTION_OP_ID=7\nPGBASTION_DETAIL\n".utf8)
            + [3, 0, 0, 0, 0, 0, 0, 0] + Array("a\nb\n".utf8)
        #expect(JournalOutput.datagram(line) == expected)
    }
}
