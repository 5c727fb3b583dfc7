import RaftCore

/// Messages as JSON (reliability.md, section 4). Fields of our own are `round`, and `kind`, `voters`, `learners` of
/// entries; hand-made messages may lack them.
extension RaftMessage {
    /// Without its id.
    var json: [String: JSON] {
        var fields: [String: JSON] = ["from": .int(from.number), "to": .int(to.number), "term": .int(term.number)]
        switch body {
        case .voteRequest(let request):
            fields["type"] = "vote"
            fields["last_index"] = .int(request.lastIndex.number)
            fields["last_term"] = .int(request.lastTerm.number)
            fields["pre"] = .bool(request.preVote)
            fields["transfer"] = .bool(request.transfer)
        case .voteResponse(let response):
            fields["type"] = "vote_resp"
            fields["granted"] = .bool(response.granted)
            fields["pre"] = .bool(response.preVote)
        case .append(let request): fields.add(request)
        case .appendResponse(let response): fields.add(response)
        case .snapshot(let chunk):
            fields["type"] = "snapshot"
            fields["index"] = .int(chunk.index.number)
            fields["snap_term"] = .int(chunk.snapshotTerm.number)
            fields["data"] = StepPayload.data(of: chunk.data)
            fields["round"] = .int(Int(truncatingIfNeeded: chunk.round))
            fields.add(chunk.membership)
        case .timeoutNow: fields["type"] = "timeout_now"
        }
        return fields
    }

    /// A hand-made message for `receiver`.
    init(_ arguments: StepArguments, to receiver: ServerID) throws(StepRefusal) {
        self.init(
            from: try arguments.server("from"), to: receiver, term: try arguments.term("term"),
            body: try Body(arguments))
    }
}

extension RaftMessage.Body {
    fileprivate init(_ arguments: StepArguments) throws(StepRefusal) {
        switch try arguments.text("type") {
        case "vote": self = .voteRequest(try .init(arguments))
        case "vote_resp":
            self = .voteResponse(
                .init(granted: try arguments.flag("granted", default: nil), preVote: try arguments.flag("pre")))
        case "append": self = .append(try .init(arguments))
        case "append_resp": self = .appendResponse(try .init(arguments))
        case "snapshot": self = .snapshot(try .init(arguments))
        case "timeout_now": self = .timeoutNow
        default: throw .senseless
        }
    }
}

extension RaftMessage.VoteRequest {
    fileprivate init(_ arguments: StepArguments) throws(StepRefusal) {
        self.init(
            lastIndex: try arguments.index("last_index"), lastTerm: try arguments.term("last_term"),
            preVote: try arguments.flag("pre"), transfer: try arguments.flag("transfer"))
    }
}

extension RaftMessage.AppendRequest {
    fileprivate init(_ arguments: StepArguments) throws(StepRefusal) {
        let previous = try arguments.index("prev_index")
        self.init(
            previousIndex: previous, previousTerm: try arguments.term("prev_term"),
            entries: try LogEntry.list(try arguments.list("entries"), behind: previous),
            commitIndex: try arguments.index("commit", default: 0),
            round: UInt64(try arguments.number("round", default: 0)))
    }
}

extension RaftMessage.AppendResponse {
    fileprivate init(_ arguments: StepArguments) throws(StepRefusal) {
        let success = try arguments.flag("ok", default: nil)
        // A refusal without a hint makes the leader go back one entry; a hint of 0 would make it start over.
        let noHint = success ? 0 : StepArguments.largestNumber - 1
        self.init(
            success: success, matchIndex: success ? try arguments.index("match") : .zero,
            hintIndex: try arguments.index("hint_index", default: noHint),
            hintTerm: try arguments.term("hint_term", default: noHint),
            round: UInt64(try arguments.number("round", default: 0)))
    }
}

extension RaftMessage.SnapshotChunk {
    /// Snapshots travel in one piece here.
    fileprivate init(_ arguments: StepArguments) throws(StepRefusal) {
        let data = StepPayload.bytes(of: arguments.value("data"))
        self.init(
            index: try arguments.index("index"), snapshotTerm: try arguments.term("snap_term"),
            membership: try arguments.membership(), offset: 0, totalBytes: data.count, data: data,
            round: UInt64(try arguments.number("round", default: 0)))
    }
}

extension [String: JSON] {
    fileprivate mutating func add(_ request: RaftMessage.AppendRequest) {
        self["type"] = "append"
        self["prev_index"] = .int(request.previousIndex.number)
        self["prev_term"] = .int(request.previousTerm.number)
        self["entries"] = .array(request.entries.map(\.json))
        self["commit"] = .int(request.commitIndex.number)
        self["round"] = .int(Int(truncatingIfNeeded: request.round))
    }

    fileprivate mutating func add(_ response: RaftMessage.AppendResponse) {
        self["type"] = "append_resp"
        self["ok"] = .bool(response.success)
        self["round"] = .int(Int(truncatingIfNeeded: response.round))
        if response.success {
            self["match"] = .int(response.matchIndex.number)
        } else {
            self["hint_index"] = .int(response.hintIndex.number)
            self["hint_term"] = .int(response.hintTerm.number)
        }
    }
}

extension JSON: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .string(value) }
}
