import Operations

/// Places in a JSON document: names of members, and elements of lists by their `name`.
extension JSONValue {
    /// `text` as a value; a nil is null.
    package static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    package static func integer(_ number: some BinaryInteger) -> JSONValue { .number("\(number)") }

    /// A number without a fraction when it is whole.
    package static func seconds(_ value: Double) -> JSONValue {
        value == value.rounded() && abs(value) < 1e15 ? .number("\(Int64(value))") : .number("\(value)")
    }

    package var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    package var decimal: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(text)
    }

    package var isNull: Bool { self == .null }

    /// The value below these member names; nil when one of them is missing.
    package func value(at keys: some Sequence<String>) -> JSONValue? {
        var present: JSONValue? = self
        for key in keys { present = present?[key] }
        return present
    }

    /// Sets the member, in the order of the names; what is not an object becomes one.
    package mutating func setMember(_ name: String, _ value: JSONValue) {
        var members = self.members ?? []
        if let place = members.firstIndex(where: { $0.name == name }) {
            members[place].value = value
        } else {
            members.append(Member(name: name, value: value))
            members.sort { $0.name < $1.name }
        }
        self = .object(members)
    }

    package mutating func removeMember(_ name: String) {
        guard let members else { return }
        self = .object(members.filter { $0.name != name })
    }

    /// Sets the value below these member names and makes objects on the way where there are none.
    package mutating func set(_ value: JSONValue, at keys: some Collection<String>) {
        guard let first = keys.first else {
            self = value
            return
        }
        var inner = self[first] ?? .object([])
        inner.set(value, at: keys.dropFirst())
        setMember(first, inner)
    }
}
