import ClusterModel

/// What must hold, over one state document (runbooks.md, section 4).
package struct Condition: Sendable, Hashable {
    package indirect enum Kind: Sendable, Hashable {
        case path(StatePath, Comparison)
        /// `value: ${...}`: what a reference gives.
        case value(Template, Comparison)
        case check(CheckCall)
        case all([Condition])
        case any([Condition])
        case not(Condition)
    }
    package var kind: Kind
    package var at: TextRange

    package init(_ kind: Kind, at: TextRange = .none) {
        self.kind = kind
        self.at = at
    }
}

/// `check: NAME` and its arguments.
package struct CheckCall: Sendable, Hashable {
    package var name: Located<String>
    package var arguments: [Argument]
    package init(_ name: Located<String>, _ arguments: [Argument] = []) {
        self.name = name
        self.arguments = arguments
    }
}

/// One operator and what it compares with.
package struct Comparison: Sendable, Hashable {
    package indirect enum Operand: Sendable, Hashable {
        /// Of every operator but the four below. A list for `in`, `not_in` and `between`.
        case value(ValueTemplate)
        /// Of `every`, `some` and `none`.
        case elements(ElementTest, allowEmpty: Bool)
        /// Of `count`: how many elements (that pass the filter) there must be.
        case count(Comparison, where: StateFilter?)
    }
    package indirect enum ElementTest: Sendable, Hashable {
        case comparison(Comparison)
        case filter(StateFilter)
    }
    package var op: Operator
    package var operand: Operand
    /// The operator's key.
    package var at: TextRange
}

package enum Operator: String, Sendable, Hashable, CaseIterable {
    case equals, notEquals = "not_equals"
    case `in`, notIn = "not_in"
    case gt, gte, lt, lte, between
    case exists, matches, contains, version
    case newerThan = "newer_than", olderThan = "older_than"
    case every, some, none, count

    package static let quantifiers: Set<Operator> = [.every, .some, .none, .count]
}

/// `{ role: { equals: replica }, lag_bytes: { lt: 1MiB } }`: every entry must hold of an element.
package struct StateFilter: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        /// Relative to the element.
        package var field: StatePath
        package var comparison: Comparison
    }
    package var entries: [Entry]
    package var at: TextRange
}
