import ClusterModel
import Operations

/// One line of a run's journal: JSON with the hash of the line before (runbooks.md, 7.3).
package struct JournalLine: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case started, resumed, vars, preconditions, items
        case stepStarted = "step_started"
        case stepEnded = "step_ended"
        case decided, ended
    }
    package var kind: Kind
    /// Members beside `kind` and `prev`.
    package var fields: JSONValue

    package init(_ kind: Kind, _ fields: [(String, JSONValue)]) {
        self.kind = kind
        self.fields = .record(fields)
    }

    package subscript(_ name: String) -> JSONValue? { fields[name] }

    /// The text without the line's end.
    package func text(after previous: String) -> String {
        var all = fields
        all.setMember("kind", .string(kind.rawValue))
        all.setMember("prev", .string(previous))
        return String(decoding: all.bytes, as: UTF8.self)
    }
}

/// The lines of a journal in memory, and the hash the next one carries.
package struct Journal: Sendable, Hashable {
    package private(set) var lines: [JournalLine] = []
    /// Hash of the last line; of nothing when there is none.
    package private(set) var head: String

    package init() { head = Journal.hash("") }

    package static func hash(_ line: String) -> String { SHA256.hex(Array(line.utf8)) }

    /// The text to write for `line`; it counts as written from now on.
    package mutating func append(_ line: JournalLine) -> String {
        let text = line.text(after: head)
        lines.append(line)
        head = Journal.hash(text)
        return text
    }

    /// Reads what was written. A last line that was cut off by a crash is left out: its call never happened.
    ///
    /// - Throws: `corrupt` naming the line whose hash or form is wrong.
    package static func read(_ text: String) throws(BastionError) -> Journal {
        var journal = Journal()
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() where !part.isEmpty {
            let isLast = index == parts.count - 1
            do throws(BastionError) {
                try journal.take(String(part))
            } catch {
                // Without an end of line the write did not finish.
                if isLast { break }
                throw BastionError(
                    .corrupt, "line \(index + 1) of the journal is broken", detail: error.message,
                    hint: "the run cannot be resumed; look at it with `pgbastion runbook status`")
            }
        }
        return journal
    }

    private mutating func take(_ text: String) throws(BastionError) {
        let value = try JSONParser.parse(Array(text.utf8))
        guard let name = value["kind"]?.string, let kind = JournalLine.Kind(rawValue: name) else {
            throw BastionError(.corrupt, "unknown kind of line")
        }
        guard value["prev"]?.string == head else { throw BastionError(.corrupt, "its hash of the line before is wrong") }
        var fields = value
        fields.removeMember("kind")
        fields.removeMember("prev")
        var line = JournalLine(kind, [])
        line.fields = fields
        lines.append(line)
        head = Journal.hash(text)
    }

    package var header: JournalLine? { lines.first { $0.kind == .started } }
    package var runID: String? { header?["run_id"]?.string }
    /// The status of the last end; nil while the run goes on or after a crash.
    package var status: RunStatus? {
        guard let last = lines.last, last.kind == .ended else { return nil }
        return last["status"]?.string.flatMap { RunStatus(rawValue: $0) }
    }
}
