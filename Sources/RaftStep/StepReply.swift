import RaftCore

/// One reply: what happened during the command, and the fields of that command alone.
struct StepReply {
    static let refusal = JSON.object(["ok": .bool(false)])

    var messages: [JSON] = []
    private(set) var applied: [JSON] = []
    private(set) var reads: [JSON] = []
    var state: [JSON] = []
    /// `accepted`, `index`, `features`, ...
    var own: [String: JSON] = [:]

    var json: JSON {
        var fields = own
        fields["ok"] = .bool(true)
        fields["msgs"] = .array(messages)
        fields["applied"] = .array(applied)
        fields["reads"] = .array(reads)
        fields["state"] = .array(state)
        return .object(fields)
    }

    mutating func applied(_ entry: LogEntry, on id: Int) {
        applied.append(
            .object([
                "node": .int(id), "index": .int(entry.index.number), "term": .int(entry.term.number),
                "data": entry.data,
            ]))
    }

    mutating func installed(_ snapshot: Snapshot, on id: Int) {
        applied.append(
            .object([
                "node": .int(id), "index": .int(snapshot.index.number), "term": .int(snapshot.term.number),
                "snapshot": .bool(true),
            ]))
    }

    mutating func finished(_ context: JSON, at index: LogIndex?, on id: Int) {
        var fields: [String: JSON] = ["node": .int(id), "ctx": context]
        if let index { fields["index"] = .int(index.number) } else { fields["failed"] = .bool(true) }
        reads.append(.object(fields))
    }
}
