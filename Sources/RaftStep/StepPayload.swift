import RaftCore

/// How the `data` of a proposal is kept in an entry: texts as they are, other JSON values behind a zero byte.
enum StepPayload {
    private static let mark: UInt8 = 0

    static func bytes(of data: JSON?) -> [UInt8] {
        guard let data, data != .null else { return [] }
        if let text = data.string, text.utf8.first != mark { return Array(text.utf8) }
        return [mark] + Array(data.line.utf8)
    }

    static func data(of bytes: [UInt8]) -> JSON {
        if bytes.first == mark, let value = JSON(parsing: String(decoding: bytes.dropFirst(), as: UTF8.self)) {
            return value
        }
        return .string(String(decoding: bytes, as: UTF8.self))
    }
}

/// Entries as JSON: `term` and `data`; what is not a proposal has empty `data` and says what it is in fields of its own.
extension LogEntry {
    private static let membershipKind = "membership"
    private static let emptyKind = "empty"

    var json: JSON {
        var fields: [String: JSON] = ["term": .int(term.number), "data": data]
        switch kind {
        case .command: break
        case .empty: fields["kind"] = .string(Self.emptyKind)
        case .membership:
            fields["kind"] = .string(Self.membershipKind)
            do throws(RaftCodecError) {
                fields.add(try Membership(decoding: payload))
            } catch {
                // A membership that cannot be read changes nothing in the core either.
            }
        }
        return .object(fields)
    }

    var data: JSON { kind == .command ? StepPayload.data(of: payload) : .string("") }

    /// Also a bare term is an entry.
    init(_ value: JSON, at index: LogIndex) throws(StepRefusal) {
        guard value.int == nil else {
            self.init(index: index, term: Term(UInt64(try StepArguments.number(value))))
            return
        }
        let arguments = try StepArguments(value)
        let term = try arguments.term("term")
        switch arguments.value("kind")?.string {
        case nil:
            self.init(index: index, term: term, payload: StepPayload.bytes(of: arguments.value("data")))
        case Self.emptyKind:
            self.init(index: index, term: term, kind: .empty)
        case Self.membershipKind:
            self.init(index: index, term: term, kind: .membership, payload: try arguments.membership().encoded())
        default: throw .senseless
        }
    }

    /// Consecutive entries behind `index`.
    static func list(_ values: [JSON], behind index: LogIndex) throws(StepRefusal) -> [LogEntry] {
        var entries: [LogEntry] = []
        entries.reserveCapacity(values.count)
        for value in values { entries.append(try LogEntry(value, at: index + (entries.count + 1))) }
        return entries
    }
}

extension [String: JSON] {
    mutating func add(_ membership: Membership) {
        self["voters"] = .array(membership.voters.map { .int($0.number) })
        self["learners"] = .array(membership.learners.map { .int($0.number) })
    }
}
