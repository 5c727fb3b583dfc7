import RaftCore

/// Where an answer goes.
package enum ReplyPath: Sendable, Hashable {
    case client(String, Int64)
    /// A node that forwarded a client's request.
    case node(String, id: Int64, life: String)
}

/// What a client asked for.
package enum KeyValueRequest: Sendable, Hashable {
    case read(JSONValue)
    case change(KeyValueCommand)

    /// nil when a field is missing.
    init?(_ body: [String: JSONValue], client: String) {
        guard let key = body["key"] else { return nil }
        let id = body["msg_id"]?.int
        switch body["type"]?.text {
        case "read":
            self = .read(key)
        case "write":
            guard let value = body["value"] else { return nil }
            self = .change(KeyValueCommand(key: key, action: .write(value), client: client, requestID: id))
        case "cas":
            guard let from = body["from"], let to = body["to"] else { return nil }
            let creates = body["create_if_not_exists"]?.isTrue ?? false
            self = .change(
                KeyValueCommand(
                    key: key, action: .compareAndSet(from: from, to: to, createsMissing: creates), client: client,
                    requestID: id))
        default:
            return nil
        }
    }
}

/// Requests of this node that are not answered yet; each is answered once.
struct PendingRequests {
    struct Write {
        var term: Term
        var path: ReplyPath
        var deadline: UInt64

        func answer(_ outcome: KeyValueOutcome, _ command: KeyValueCommand) -> [String: JSONValue] {
            switch outcome {
            case .done:
                if case .write = command.action { return ["type": .string("write_ok")] }
                return ["type": .string("cas_ok")]
            case .missing: return MaelstromError.keyDoesNotExist.body("no such key")
            case .differs: return MaelstromError.preconditionFailed.body("the value is another one")
            case .forgotten: return MaelstromError.timeout.body("an old request came again")
            }
        }
    }

    struct Read {
        var key: JSONValue
        var path: ReplyPath
        var deadline: UInt64
        /// Set when leadership is confirmed: may be answered once this index is applied.
        var index: LogIndex?
    }

    /// A request without an outcome is answered as timed out after this long: 2 s.
    static let lifetimeTicks: UInt64 = 200

    private var writes: [LogIndex: Write] = [:]
    private var reads: [UInt64: Read] = [:]
    private var forwards: [UInt64: (path: ReplyPath, deadline: UInt64)] = [:]
    private var next: UInt64 = 1
    private var lastSweep: UInt64 = 0

    mutating func addRead(_ key: JSONValue, _ path: ReplyPath, deadline: UInt64) -> UInt64 {
        defer { next += 1 }
        reads[next] = Read(key: key, path: path, deadline: deadline)
        return next
    }

    mutating func takeRead(_ context: UInt64) -> Read? { reads.removeValue(forKey: context) }

    mutating func confirmRead(_ context: UInt64, at index: LogIndex) { reads[context]?.index = index }

    mutating func takeReads(through applied: LogIndex) -> [Read] {
        let done = reads.filter { $0.value.index.map { $0 <= applied } ?? false }.sorted { $0.key < $1.key }
        for read in done { reads[read.key] = nil }
        return done.map(\.value)
    }

    /// - Returns: The request that waited at the same index for an entry of an earlier term.
    mutating func addWrite(_ receipt: ProposalReceipt, _ path: ReplyPath, deadline: UInt64) -> ReplyPath? {
        writes.updateValue(Write(term: receipt.term, path: path, deadline: deadline), forKey: receipt.index)?.path
    }

    mutating func takeWrite(_ index: LogIndex) -> Write? { writes.removeValue(forKey: index) }

    mutating func takeWrites(through index: LogIndex) -> [ReplyPath] {
        let covered = writes.filter { $0.key <= index }.sorted { $0.key < $1.key }
        for write in covered { writes[write.key] = nil }
        return covered.map(\.value.path)
    }

    mutating func addForward(_ path: ReplyPath, deadline: UInt64) -> UInt64 {
        defer { next += 1 }
        forwards[next] = (path, deadline)
        return next
    }

    mutating func takeForward(_ id: UInt64) -> ReplyPath? { forwards.removeValue(forKey: id)?.path }

    /// Removes what waited too long; looks at most every ten ticks.
    mutating func expired(at now: UInt64) -> [ReplyPath] {
        guard now >= lastSweep + 10 else { return [] }
        lastSweep = now
        var late: [ReplyPath] = []
        for (index, write) in writes where write.deadline <= now {
            writes[index] = nil
            late.append(write.path)
        }
        for (context, read) in reads where read.deadline <= now {
            reads[context] = nil
            late.append(read.path)
        }
        for (id, forward) in forwards where forward.deadline <= now {
            forwards[id] = nil
            late.append(forward.path)
        }
        return late
    }
}
