/// The bytes of a Raft message: version, kind, addressing, fields. Framing and checksums belong to the transport.
extension RaftMessage {
    /// Raised when the form of the bytes changes; a reader refuses versions it does not know (RA20).
    package static let codecVersion: UInt8 = 1

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + body.payloadBytes)
        writer.byte(Self.codecVersion)
        writer.byte(body.kind)
        writer.id(from)
        writer.id(to)
        writer.number(term.rawValue)
        switch body {
        case .voteRequest(let request): request.write(to: &writer)
        case .voteResponse(let response): response.write(to: &writer)
        case .append(let request): request.write(to: &writer)
        case .appendResponse(let response): response.write(to: &writer)
        case .snapshot(let chunk): chunk.write(to: &writer)
        case .timeoutNow: break
        }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(RaftCodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.codecVersion else { throw .unknownVersion(version) }
        let kind = try reader.byte()
        from = try reader.id()
        to = try reader.id()
        term = Term(try reader.number())
        switch kind {
        case 1: body = .voteRequest(try VoteRequest(from: &reader))
        case 2: body = .voteResponse(try VoteResponse(from: &reader))
        case 3: body = .append(try AppendRequest(from: &reader))
        case 4: body = .appendResponse(try AppendResponse(from: &reader))
        case 5: body = .snapshot(try SnapshotChunk(from: &reader))
        case 6: body = .timeoutNow
        default: throw .unknownKind(kind)
        }
        try reader.finish()
    }
}

extension RaftMessage.Body {
    fileprivate var kind: UInt8 {
        switch self {
        case .voteRequest: 1
        case .voteResponse: 2
        case .append: 3
        case .appendResponse: 4
        case .snapshot: 5
        case .timeoutNow: 6
        }
    }

    fileprivate var payloadBytes: Int {
        switch self {
        case .append(let request): request.entries.reduce(0) { $0 + $1.payload.count + 16 }
        case .snapshot(let chunk): chunk.data.count + chunk.membership.members.count * 16
        default: 0
        }
    }
}

extension Membership {
    /// Raised when the form of the bytes changes.
    package static let codecVersion: UInt8 = 1

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 4 + 16 * (voters.count + learners.count))
        writer.byte(Self.codecVersion)
        write(to: &writer)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(RaftCodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.codecVersion else { throw .unknownVersion(version) }
        self = try Membership(from: &reader)
        try reader.finish()
    }

    fileprivate func write(to writer: inout ByteWriter) {
        writer.ids(voters)
        writer.ids(learners)
    }

    fileprivate init(from reader: inout ByteReader) throws(RaftCodecError) {
        let voters = try reader.ids()
        let learners = try reader.ids()
        self.init(voters: voters, learners: learners)
    }
}

extension RaftMessage.VoteRequest {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.number(lastIndex.rawValue)
        writer.number(lastTerm.rawValue)
        writer.flag(preVote)
        writer.flag(transfer)
    }

    fileprivate init(from reader: inout ByteReader) throws(RaftCodecError) {
        let lastIndex = LogIndex(try reader.number())
        let lastTerm = Term(try reader.number())
        let preVote = try reader.flag()
        self.init(lastIndex: lastIndex, lastTerm: lastTerm, preVote: preVote, transfer: try reader.flag())
    }
}

extension RaftMessage.VoteResponse {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.flag(granted)
        writer.flag(preVote)
    }

    fileprivate init(from reader: inout ByteReader) throws(RaftCodecError) {
        let granted = try reader.flag()
        self.init(granted: granted, preVote: try reader.flag())
    }
}

extension RaftMessage.AppendRequest {
    /// Entries are consecutive, so their indexes are not written: the first one follows `previousIndex`.
    fileprivate func write(to writer: inout ByteWriter) {
        writer.number(previousIndex.rawValue)
        writer.number(previousTerm.rawValue)
        writer.number(commitIndex.rawValue)
        writer.number(round)
        writer.count(entries.count)
        for entry in entries {
            writer.number(entry.term.rawValue)
            writer.byte(entry.kind.rawValue)
            writer.block(entry.payload)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(RaftCodecError) {
        let previousIndex = LogIndex(try reader.number())
        let previousTerm = Term(try reader.number())
        let commitIndex = LogIndex(try reader.number())
        let round = try reader.number()
        let count = try reader.count(elementBytes: 3)
        var entries: [LogEntry] = []
        entries.reserveCapacity(count)
        for offset in 0..<count {
            let term = Term(try reader.number())
            let rawKind = try reader.byte()
            guard let kind = EntryKind(rawValue: rawKind) else { throw .unknownKind(rawKind) }
            let index = LogIndex(previousIndex.rawValue &+ UInt64(offset) &+ 1)
            entries.append(LogEntry(index: index, term: term, kind: kind, payload: try reader.block()))
        }
        self.init(
            previousIndex: previousIndex, previousTerm: previousTerm, entries: entries, commitIndex: commitIndex,
            round: round)
    }
}

extension RaftMessage.AppendResponse {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.flag(success)
        writer.number(matchIndex.rawValue)
        writer.number(hintIndex.rawValue)
        writer.number(hintTerm.rawValue)
        writer.number(round)
        writer.flag(receivedBytes != nil)
        if let receivedBytes { writer.count(receivedBytes) }
    }

    fileprivate init(from reader: inout ByteReader) throws(RaftCodecError) {
        let success = try reader.flag()
        let matchIndex = LogIndex(try reader.number())
        let hintIndex = LogIndex(try reader.number())
        let hintTerm = Term(try reader.number())
        let round = try reader.number()
        let receivedBytes = try reader.flag() ? try reader.size() : nil
        self.init(
            success: success, matchIndex: matchIndex, hintIndex: hintIndex, hintTerm: hintTerm, round: round,
            receivedBytes: receivedBytes)
    }
}

extension RaftMessage.SnapshotChunk {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.number(index.rawValue)
        writer.number(snapshotTerm.rawValue)
        membership.write(to: &writer)
        writer.count(offset)
        writer.count(totalBytes)
        writer.number(round)
        writer.block(data)
    }

    fileprivate init(from reader: inout ByteReader) throws(RaftCodecError) {
        let index = LogIndex(try reader.number())
        let snapshotTerm = Term(try reader.number())
        let membership = try Membership(from: &reader)
        let offset = try reader.size()
        let totalBytes = try reader.size()
        let round = try reader.number()
        let data = try reader.block()
        self.init(
            index: index, snapshotTerm: snapshotTerm, membership: membership, offset: offset, totalBytes: totalBytes,
            data: data, round: round)
    }
}
