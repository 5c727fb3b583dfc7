import ClusterModel
import Operations

/// One operator between two values of one type; there is no coercion, but literals follow the field (`10MiB`, `30s`).
struct ScalarComparison {
    var type: FieldType
    /// What `newer_than` and `older_than` count from.
    var capturedAt: String?

    func status(_ actual: RunbookValue, _ op: Operator, _ wanted: RunbookValue) -> ConditionResult.Status {
        switch op {
        case .equals: return equality(actual, wanted)
        case .notEquals: return equality(actual, wanted).inverted
        case .in: return wanted.elements.map { .any($0.isEmpty ? [.fail] : $0.map { equality(actual, $0) }) } ?? .unknown
        case .notIn: return wanted.elements.map { .any($0.isEmpty ? [.fail] : $0.map { equality(actual, $0) }).inverted } ?? .unknown
        case .gt: return order(actual, wanted) { $0 > 0 }
        case .gte: return order(actual, wanted) { $0 >= 0 }
        case .lt: return order(actual, wanted) { $0 < 0 }
        case .lte: return order(actual, wanted) { $0 <= 0 }
        case .between:
            guard let bounds = wanted.elements, bounds.count == 2 else { return .unknown }
            return .all([order(actual, bounds[0]) { $0 >= 0 }, order(actual, bounds[1]) { $0 <= 0 }])
        case .matches:
            guard let text = actual.string, let pattern = wanted.string else { return .unknown }
            return .init(Glob.matches(text, pattern))
        case .contains:
            if let elements = actual.elements {
                let element = ScalarComparison(type: type.element ?? .any, capturedAt: capturedAt)
                return .init(elements.contains { element.equality($0, wanted) == .pass })
            }
            guard let text = actual.string, let part = wanted.string else { return .unknown }
            return .init(part.isEmpty || text.contains(part))
        case .version:
            guard let version = actual.string.flatMap({ SemanticVersion($0) }), let range = wanted.string.flatMap({ VersionRange($0) })
            else { return .unknown }
            return .init(range.contains(version))
        case .newerThan: return age(actual, wanted) { $0 < $1 }
        case .olderThan: return age(actual, wanted) { $0 > $1 }
        case .exists, .every, .some, .none, .count: return .unknown
        }
    }

    private func age(_ actual: RunbookValue, _ wanted: RunbookValue, _ holds: (Double, Double) -> Bool) -> ConditionResult.Status {
        guard let then = actual.string.flatMap({ ZonedTime.seconds($0) }), let now = capturedAt.flatMap({ ZonedTime.seconds($0) }),
            let limit = wanted.string.flatMap({ Quantity.duration($0) })?.seconds ?? wanted.decimal
        else { return .unknown }
        return .init(holds(now - then, limit))
    }

    private func equality(_ a: RunbookValue, _ b: RunbookValue) -> ConditionResult.Status {
        if a == .null || b == .null || a.unknownReason != nil || b.unknownReason != nil { return .unknown }
        if a == b { return .pass }
        if case .bool = a, case .bool = b { return .fail }
        if let x = a.elements, let y = b.elements {
            return x.count == y.count ? .all(zip(x, y).map { equality($0, $1) }) : .fail
        }
        if let x = ordinal(a), let y = ordinal(b), let difference = x.compare(y) { return .init(difference == 0) }
        if a.string != nil, b.string != nil { return .fail }
        // A text that looks like a number is still a text, and true is no text: never equal, and never certain.
        return type == .any ? .fail : .unknown
    }

    private func order(_ a: RunbookValue, _ b: RunbookValue, _ holds: (Int) -> Bool) -> ConditionResult.Status {
        guard let x = ordinal(a), let y = ordinal(b), let difference = x.compare(y) else { return .unknown }
        return .init(holds(difference))
    }

    // MARK: Order

    private enum Ordinal {
        case whole(UInt64)
        case number(Double)
        case version(SemanticVersion)

        func compare(_ other: Ordinal) -> Int? {
            switch (self, other) {
            case (.whole(let a), .whole(let b)): return a < b ? -1 : a > b ? 1 : 0
            case (.version(let a), .version(let b)): return a < b ? -1 : a > b ? 1 : 0
            case (.version, _), (_, .version): return nil
            default:
                guard let a = decimal, let b = other.decimal else { return nil }
                return a < b ? -1 : a > b ? 1 : 0
            }
        }

        private var decimal: Double? {
            switch self {
            case .whole(let value): Double(value)
            case .number(let value): value
            case .version: nil
            }
        }
    }

    private func ordinal(_ value: RunbookValue) -> Ordinal? {
        if case .number(let text) = value { return UInt64(text).map { .whole($0) } ?? Double(text).map { .number($0) } }
        guard let text = value.string else { return nil }
        switch type {
        case .bytes: return Quantity.bytes(text).map { .whole($0) }
        case .seconds: return Quantity.duration(text).map { .number($0.seconds) }
        case .time: return ZonedTime.seconds(text).map { .number($0) }
        case .lsn: return LSN(text).map { .whole($0.rawValue) }
        case .version: return SemanticVersion(text).map { .version($0) }
        case .any:
            if let duration = Quantity.duration(text) { return .number(duration.seconds) }
            if let bytes = Quantity.bytes(text), text.contains("B") { return .whole(bytes) }
            if let time = ZonedTime.seconds(text) { return .number(time) }
            if text.contains("/"), let lsn = LSN(text) { return .whole(lsn.rawValue) }
            return SemanticVersion(text).map { .version($0) }
        default: return nil
        }
    }
}
