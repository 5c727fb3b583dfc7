import RaftCore

/// Why a command has no ordinary reply.
enum StepRefusal: Error, Hashable, Sendable {
    /// Unknown node, node down, unknown message, field missing or of the wrong type: nothing was changed.
    case senseless
    /// The disk store failed; the text says how.
    case storage(String)
}

/// The fields of a command or a message, read with checks.
struct StepArguments {
    /// Limit: numbers on the wire stay below this, so that no arithmetic on them overflows.
    static let largestNumber = 1 << 62

    let fields: [String: JSON]

    init(_ value: JSON?) throws(StepRefusal) {
        guard let fields = value?.object else { throw .senseless }
        self.fields = fields
    }

    /// The name of the command: field `cmd`; `command` and `op` are understood as well.
    var command: String {
        get throws(StepRefusal) {
            for key in ["cmd", "command", "op"] {
                if let name = fields[key]?.string { return name }
            }
            throw .senseless
        }
    }

    /// A field that is there and not null.
    func value(_ key: String) -> JSON? {
        guard let value = fields[key], value != .null else { return nil }
        return value
    }

    func number(_ key: String, default absent: Int? = nil) throws(StepRefusal) -> Int {
        guard let value = value(key) else {
            guard let absent else { throw .senseless }
            return absent
        }
        return try Self.number(value)
    }

    /// A number in `range`: settings and counts that cost time or must not be zero.
    func number(_ key: String, default absent: Int, in range: ClosedRange<Int>) throws(StepRefusal) -> Int {
        let value = try number(key, default: absent)
        guard range.contains(value) else { throw .senseless }
        return value
    }

    func flag(_ key: String, default absent: Bool? = false) throws(StepRefusal) -> Bool {
        guard let value = value(key) else {
            guard let absent else { throw .senseless }
            return absent
        }
        guard let flag = value.bool else { throw .senseless }
        return flag
    }

    func text(_ key: String) throws(StepRefusal) -> String {
        guard let text = fields[key]?.string else { throw .senseless }
        return text
    }

    func list(_ key: String) throws(StepRefusal) -> [JSON] {
        guard let value = value(key) else { return [] }
        guard let list = value.array else { throw .senseless }
        return list
    }

    func index(_ key: String, default absent: Int? = nil) throws(StepRefusal) -> LogIndex {
        LogIndex(UInt64(try number(key, default: absent)))
    }

    func term(_ key: String, default absent: Int? = nil) throws(StepRefusal) -> Term {
        Term(UInt64(try number(key, default: absent)))
    }

    /// Absent: no members.
    func servers(_ key: String) throws(StepRefusal) -> [ServerID] { try Self.servers(try list(key)) }

    /// 0 and absent mean nobody.
    func serverOrNobody(_ key: String) throws(StepRefusal) -> ServerID? {
        let id = try number(key, default: 0)
        return id == 0 ? nil : ServerID(id)
    }

    func server(_ key: String) throws(StepRefusal) -> ServerID { try Self.server(try number(key)) }

    func membership() throws(StepRefusal) -> Membership {
        Membership(voters: try servers("voters"), learners: try servers("learners"))
    }

    static func number(_ value: JSON) throws(StepRefusal) -> Int {
        guard let number = value.int, (0..<largestNumber).contains(number) else { throw .senseless }
        return number
    }

    static func server(_ id: Int) throws(StepRefusal) -> ServerID {
        guard (1..<largestNumber).contains(id) else { throw .senseless }
        return ServerID(id)
    }

    static func servers(_ list: [JSON]) throws(StepRefusal) -> [ServerID] {
        var servers: [ServerID] = []
        for value in list { servers.append(try server(try number(value))) }
        return servers
    }
}

extension ServerID {
    /// The integer ids of the step binary; 0 is nobody.
    init(_ id: Int) { self.init(rawValue: UInt128(max(0, id))) }
    var number: Int { Int(truncatingIfNeeded: rawValue) }
}

extension LogIndex {
    var number: Int { Int(truncatingIfNeeded: rawValue) }
}

extension Term {
    var number: Int { Int(truncatingIfNeeded: rawValue) }
}
