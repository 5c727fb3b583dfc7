import Operations

/// A path into `data`: `paused.active`, `nodes[].name`, `nodes[name=node2].lag_bytes`.
struct FieldPath: Sendable, Equatable {
    private enum Step: Sendable, Equatable {
        case member(String)
        case every
        case matching(String, String)
    }
    private var steps: [Step] = []
    let text: String

    /// nil when `text` is no path.
    init?(_ text: String) {
        self.text = text
        guard !text.isEmpty else { return nil }
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            let name = part.prefix { $0 != "[" }
            guard !name.isEmpty else { return nil }
            steps.append(.member(String(name)))
            let selector = part.dropFirst(name.count)
            guard !selector.isEmpty else { continue }
            guard selector.last == "]" else { return nil }
            let inner = selector.dropFirst().dropLast()
            let sides = inner.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if inner.isEmpty {
                steps.append(.every)
            } else if sides.count == 2, !sides[0].isEmpty {
                steps.append(.matching(String(sides[0]), String(sides[1])))
            } else {
                return nil
            }
        }
    }

    /// Every value the path leads to; an array is entered element by element.
    func values(in root: JSONValue) -> [JSONValue] {
        var present = [root]
        for step in steps { present = present.flatMap { FieldPath.follow(step, in: $0) } }
        return present
    }

    private static func follow(_ step: Step, in value: JSONValue) -> [JSONValue] {
        switch step {
        case .member(let name):
            if let elements = value.elements { return elements.compactMap { $0[name] } }
            return value[name].map { [$0] } ?? []
        case .every: return value.elements ?? []
        case .matching(let name, let text):
            return (value.elements ?? []).filter { $0[name].map(plainText) == text }
        }
    }

    /// `value` with nothing but what the paths lead to; its shape stays.
    static func pruned(_ value: JSONValue, to paths: [FieldPath]) -> JSONValue {
        pruned(value, steps: paths.map { $0.steps[...] }) ?? .object([])
    }

    /// nil: no path leads into `value`.
    private static func pruned(_ value: JSONValue, steps: [ArraySlice<Step>]) -> JSONValue? {
        if steps.contains(where: \.isEmpty) { return value }
        if let members = value.members {
            let kept = members.compactMap { member -> JSONValue.Member? in
                let inner = steps.filter { $0.first == .member(member.name) }.map { $0.dropFirst() }
                return pruned(member.value, steps: inner).map { .init(name: member.name, value: $0) }
            }
            return kept.isEmpty ? nil : .object(kept)
        }
        guard let elements = value.elements, !steps.isEmpty else { return nil }
        return .array(
            elements.compactMap { element in
                let inner = steps.compactMap { path -> ArraySlice<Step>? in
                    switch path.first {
                    case .every: path.dropFirst()
                    case .matching(let name, let text):
                        element[name].map(plainText) == text ? path.dropFirst() : nil
                    case .member: path
                    case nil: nil
                    }
                }
                return pruned(element, steps: inner)
            })
    }

    /// A scalar as a person reads it; anything else as JSON.
    static func plainText(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text), .string(let text): text
        case .array, .object: String(decoding: value.bytes, as: UTF8.self)
        }
    }
}

/// `--filter PATH=VALUE`: keeps the rows of the lists in `data` that match.
struct RowFilter: Sendable, Equatable {
    private var path: FieldPath
    private var expected: String

    /// nil when `text` is not `PATH=VALUE`.
    init?(_ text: String) {
        guard let sign = text.lastIndex(of: "="), let path = FieldPath(String(text[..<sign])) else { return nil }
        self.path = path
        expected = String(text[text.index(after: sign)...])
    }

    func applied(to data: JSONValue) -> JSONValue {
        guard case .object(let members) = data else { return data }
        return .object(
            members.map { member in
                guard let rows = member.value.elements, rows.contains(where: { $0.members != nil }) else {
                    return member
                }
                let kept = rows.filter { row in
                    path.values(in: row).contains { FieldPath.plainText($0) == expected }
                }
                return JSONValue.Member(name: member.name, value: .array(kept))
            })
    }
}
