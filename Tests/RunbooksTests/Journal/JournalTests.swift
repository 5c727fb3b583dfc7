import ClusterModel
import Operations
import Runbooks
import Testing

/// The journal: chained lines, and what a crash may leave of them.
@Suite struct JournalTests {
    private func written() -> (journal: Journal, lines: [String]) {
        var journal = Journal()
        let lines = [
            journal.append(JournalLine(.started, [("run_id", .string("run-1")), ("runbook", .string("sample"))])),
            journal.append(JournalLine(.stepStarted, [("key", .string("drain")), ("args", .object([]))])),
            journal.append(JournalLine(.stepEnded, [("key", .string("drain")), ("outcome", .string("succeeded"))])),
        ]
        return (journal, lines)
    }

    @Test func `what was written is read back`() throws {
        let (journal, lines) = written()
        let read = try Journal.read(lines.map { $0 + "\n" }.joined())
        #expect(read == journal)
        #expect(read.runID == "run-1")
        #expect(RunMemory(read).steps["drain"]?.outcome == "succeeded")
    }

    @Test func `a last line that was cut off never happened`() throws {
        let (_, lines) = written()
        let text = lines.map { $0 + "\n" }.joined()
        for cut in 1..<(lines[2].utf8.count + 1) {
            let read = try Journal.read(String(decoding: Array(text.utf8).dropLast(cut), as: UTF8.self))
            #expect(read.lines.count == (cut == 1 ? 3 : 2), "\(cut)")
        }
    }

    @Test func `a changed line breaks the chain`() throws {
        let (_, lines) = written()
        let changed = [lines[0].replacing("sample", with: "other"), lines[1], lines[2]].map { $0 + "\n" }.joined()
        #expect(throws: BastionError.self) { try Journal.read(changed) }
    }
}
