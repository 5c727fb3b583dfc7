import ClusterModel
import Operations

/// What a field of the state document, a parameter or an output holds.
package indirect enum FieldType: Sendable, Hashable {
    case text
    /// One of these texts.
    case choice([String])
    case boolean, integer, decimal, bytes, seconds, time, lsn, version
    case list(FieldType, uniqueKey: String?)
    case object([Field])
    /// Not known before the run.
    case any

    package struct Field: Sendable, Hashable {
        package var name: String
        package var type: FieldType
        package var isNullable: Bool
    }

    package var fields: [Field]? {
        guard case .object(let fields) = self else { return nil }
        return fields
    }

    package var element: FieldType? {
        guard case .list(let element, _) = self else { return nil }
        return element
    }

    package var isScalar: Bool {
        switch self {
        case .list, .object: false
        default: true
        }
    }

    /// May be compared with `gt`, `lt` and `between`.
    package var isOrdered: Bool {
        switch self {
        case .integer, .decimal, .bytes, .seconds, .time, .lsn, .version, .any: true
        default: false
        }
    }

    package var isText: Bool {
        switch self {
        case .text, .choice, .any: true
        default: false
        }
    }

    /// `a size`, `true or false`: what a literal must be.
    package var description: String {
        switch self {
        case .text: "a text"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .decimal: "a number"
        case .bytes: "a size such as 10MiB"
        case .seconds: "a duration such as 30s"
        case .time: "a time such as 2026-02-17T02:00:00Z"
        case .lsn: "an LSN such as 16/B374D848"
        case .version: "a version such as 1.4.0"
        case .list: "a list"
        case .object: "an object"
        case .any: "a value"
        }
    }
}
