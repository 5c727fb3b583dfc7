import ClusterModel

/// A path into the state document: `raft.has_quorum`, `nodes[name=node2].state`, `nodes[*].healthy`.
struct StatePath: Sendable, Hashable {
    private enum Step: Sendable, Hashable {
        case member(String)
        case every
        case matching([[String]])
    }
    private let steps: [Step]

    /// nil when `text` is no path.
    init?(_ text: Substring) {
        var steps: [Step] = []
        var rest = text
        while !rest.isEmpty {
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            guard !name.isEmpty else { return nil }
            steps.append(.member(String(name)))
            rest = rest.dropFirst(name.count)
            if rest.first == "[" {
                guard let end = rest.firstIndex(of: "]"), let step = StatePath.selector(rest[rest.index(after: rest.startIndex)..<end])
                else { return nil }
                steps.append(step)
                rest = rest[rest.index(after: end)...]
            }
            guard !rest.isEmpty else { break }
            guard rest.first == ".", rest.count > 1 else { return nil }
            rest = rest.dropFirst()
        }
        guard case .member(let root) = steps.first, StatePath.roots.contains(root) else { return nil }
        self.steps = steps
    }

    private static func selector(_ text: Substring) -> Step? {
        if text == "*" { return .every }
        let pairs = text.split(separator: ",").map { pair in
            pair.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != "\"" } }
        }
        return !pairs.isEmpty && pairs.allSatisfy { $0.count == 2 } ? .matching(pairs) : nil
    }

    private static let roots: Set<String> = [
        "format", "format_version", "captured_at", "source", "seen_by", "cluster", "raft", "paused", "restart_hold", "primary",
        "synchronous", "nodes", "vip", "split_brain", "directives", "operations", "lock", "backup", "versions", "config", "standby",
        "local",
    ]

    /// Every value the path leads to; a list without a selector is entered element by element.
    ///
    /// - Parameter node: Only this element of `nodes`.
    func values(in document: JSONValue, node: NodeName?) -> [JSONValue] {
        var present = [document]
        for (position, step) in steps.enumerated() {
            present = present.flatMap { StatePath.follow(step, in: $0) }
            if position == 0, step == .member("nodes"), let node {
                present = present.map { list in .array((list.elements ?? []).filter { $0["name"]?.string == node.rawValue }) }
            }
        }
        return present
    }

    private static func follow(_ step: Step, in value: JSONValue) -> [JSONValue] {
        switch step {
        case .member(let name):
            if let elements = value.elements { return elements.compactMap { $0[name] } }
            return value[name].map { [$0] } ?? []
        case .every: return value.elements ?? []
        case .matching(let pairs):
            return (value.elements ?? []).filter { element in
                pairs.allSatisfy { element[$0[0]].map(plainText) == $0[1] }
            }
        }
    }

    static func plainText(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text), .string(let text): text
        case .array(let elements): elements.map(plainText).joined(separator: ",")
        case .object: "an object"
        }
    }

    /// `PATH  VALUE` of everything in `value`.
    static func leaves(of value: JSONValue, at path: String, into lines: inout [String]) {
        switch value {
        case .object(let members):
            for member in members { leaves(of: member.value, at: path.isEmpty ? member.name : "\(path).\(member.name)", into: &lines) }
        case .array(let elements) where elements.contains { $0.members != nil }:
            for (position, element) in elements.enumerated() {
                let selector = element["name"]?.string.map { "name=\($0)" } ?? "\(position)"
                leaves(of: element, at: "\(path)[\(selector)]", into: &lines)
            }
        default: lines.append("\(path)  \(plainText(value))")
        }
    }
}
