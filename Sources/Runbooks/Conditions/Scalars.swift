import ClusterModel
import Operations

/// Times with any zone (RFC 3339).
package enum ZonedTime {
    /// Seconds since 1970; nil when `text` is no time with a zone.
    package static func seconds(_ text: String) -> Double? {
        if let plain = Timestamp.seconds(text) { return plain }
        guard text.utf8.count >= 25, text.utf8.count <= 64 else { return nil }
        let zone = text.suffix(6)
        let parts = zone.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = zone.first, sign == "+" || sign == "-", parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), (0...23).contains(hours), (0...59).contains(minutes),
            let local = Timestamp.seconds(text.dropLast(6) + "Z")
        else { return nil }
        return local - Double(hours * 3600 + minutes * 60) * (sign == "+" ? 1 : -1)
    }
}

/// Patterns with `*` and `?`, over the whole text.
package enum Glob {
    package static func matches(_ text: String, _ pattern: String) -> Bool {
        let text = Array(text.unicodeScalars)
        let pattern = Array(pattern.unicodeScalars)
        var (t, p) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
                t += 1
                p += 1
            } else if let last = star {
                p = last.pattern + 1
                t = last.text + 1
                star = (last.pattern, t)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}

/// `>=1.2.0 <2.0.0`: every comparator must hold.
package struct VersionRange: Sendable, Hashable {
    private enum Comparator: String, Sendable, CaseIterable { case atLeast = ">=", atMost = "<=", above = ">", below = "<", exactly = "=" }
    private struct Bound: Sendable, Hashable {
        var comparator: Comparator
        var version: SemanticVersion
    }
    private let bounds: [Bound]
    package static let help = "comparators = > >= < <= with a version such as 1.4.0, joined by spaces"

    package init?(_ text: String) {
        var bounds: [Bound] = []
        for word in text.split(separator: " ") {
            let comparator = Comparator.allCases.first { word.hasPrefix($0.rawValue) }
            guard let version = SemanticVersion(String(word.dropFirst(comparator?.rawValue.count ?? 0))) else { return nil }
            guard let comparator else { return nil }
            bounds.append(Bound(comparator: comparator, version: version))
        }
        guard !bounds.isEmpty else { return nil }
        self.bounds = bounds
    }

    package func contains(_ version: SemanticVersion) -> Bool {
        bounds.allSatisfy { bound in
            switch bound.comparator {
            case .atLeast: version >= bound.version
            case .atMost: version <= bound.version
            case .above: version > bound.version
            case .below: version < bound.version
            case .exactly: version == bound.version
            }
        }
    }
}

/// Values as people read them.
package enum ValueText {
    /// One line without quotes: `node2`, `12`, `a, b`.
    package static func plain(_ value: JSONValue) -> String {
        if value.unknownReason != nil { return "unknown" }
        switch value {
        case .null: return "unknown"
        case .bool(let flag): return flag ? "true" : "false"
        case .number(let text), .string(let text): return text
        case .array(let elements): return elements.map(plain).joined(separator: ", ")
        case .object: return String(decoding: value.bytes, as: UTF8.self)
        }
    }

    /// With its size for people, when it is one: `52428800 (50 MiB)`.
    static func actual(_ value: JSONValue, _ type: FieldType) -> String {
        guard type == .bytes, let bytes = value.integer.flatMap({ UInt64(exactly: $0) }), bytes >= 1024 else {
            return Excerpt.of(plain(value))
        }
        return "\(bytes) (\(Quantity.text(bytes: bytes)))"
    }

    /// A wanted value: `10 MiB`.
    static func wanted(_ value: JSONValue, _ type: FieldType) -> String {
        if case .array(let elements) = value { return "[\(elements.map { wanted($0, type) }.joined(separator: ", "))]" }
        guard type == .bytes, let bytes = RunbookParameter.bytes(value) else { return Excerpt.of(plain(value)) }
        return Quantity.text(bytes: bytes)
    }
}
