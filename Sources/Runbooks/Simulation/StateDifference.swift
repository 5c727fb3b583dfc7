import Operations

/// What is different between two state documents, by path.
package struct StateDifference: Sendable, Hashable {
    package var path: String
    package var before: JSONValue
    package var after: JSONValue

    package var text: String { "\(path) \(before.plainText) -> \(after.plainText)" }

    package var json: JSONValue { .record([("path", .string(path)), ("before", before), ("after", after)]) }

    /// In the order of the paths; times and ages that only pass are left out.
    package static func between(_ before: JSONValue, _ after: JSONValue) -> [StateDifference] {
        var changes: [StateDifference] = []
        compare(before, after, at: "", into: &changes)
        return changes.filter { !passing.contains($0.path) }
    }

    private static let passing: Set<String> = [
        "captured_at", "backup.age_seconds", "backup.drill_age_seconds", "lock.heartbeat_age_seconds",
    ]

    private static func compare(_ a: JSONValue, _ b: JSONValue, at path: String, into changes: inout [StateDifference]) {
        guard a != b else { return }
        if let left = a.members, let right = b.members {
            for name in Set(left.map(\.name)).union(right.map(\.name)).sorted() {
                compare(a[name] ?? .null, b[name] ?? .null, at: path.isEmpty ? name : "\(path).\(name)", into: &changes)
            }
            return
        }
        if let left = a.elements, let right = b.elements, let lefts = named(left), let rights = named(right) {
            for name in Set(lefts.keys).union(rights.keys).sorted() {
                let place = "\(path)[name=\(name)]"
                guard let one = lefts[name], let other = rights[name] else {
                    changes.append(StateDifference(path: place, before: presence(lefts[name]), after: presence(rights[name])))
                    continue
                }
                compare(one, other, at: place, into: &changes)
            }
            return
        }
        changes.append(StateDifference(path: path, before: a, after: b))
    }

    /// Elements by their names; nil when one has none.
    private static func named(_ elements: [JSONValue]) -> [String: JSONValue]? {
        let names = elements.compactMap { $0["name"]?.string }
        guard names.count == elements.count, Set(names).count == names.count else { return nil }
        return Dictionary(zip(names, elements)) { first, _ in first }
    }

    private static func presence(_ value: JSONValue?) -> JSONValue { value == nil ? .string("absent") : .string("present") }
}
