import ClusterModel
import Operations

/// A value of a runbook once everything in it is filled in.
///
/// What cannot be known is the object `{"unknown": "reason"}`, as plans write it (`isUnknown`).
package typealias RunbookValue = JSONValue

/// A text in which references `${...}` stand (runbooks.md, section 3). It is parsed before anything is filled in, so that a
/// value can never become syntax.
package struct Template: Sendable, Hashable {
    package enum Part: Sendable, Hashable {
        case text(String)
        case reference(Reference)
    }
    package var parts: [Part]
    package var at: TextRange
    /// Written without quotes, so that somebody may have meant a number or a boolean.
    package var isPlain = false

    package init(_ parts: [Part], at: TextRange, isPlain: Bool = false) {
        self.parts = parts
        self.at = at
        self.isPlain = isPlain
    }

    /// A text without references.
    package init(text: String, at: TextRange = .none) { self.init([.text(text)], at: at) }

    package var references: [Reference] {
        parts.compactMap { part in if case .reference(let reference) = part { reference } else { nil } }
    }

    /// The reference, when the text is exactly one: its value keeps its type.
    package var soleReference: Reference? {
        guard parts.count == 1, case .reference(let reference) = parts[0] else { return nil }
        return reference
    }

    /// The text, when there is no reference in it.
    package var literal: String? {
        var text = ""
        for part in parts {
            guard case .text(let piece) = part else { return nil }
            text += piece
        }
        return text
    }

    /// As it was written.
    package var source: String {
        parts.map { part in
            switch part {
            case .text(let text): text.replacing("${", with: "$${")
            case .reference(let reference): "${\(reference.source)}"
            }
        }.joined()
    }
}

/// `params.target`, `steps.backup.id`, `state.nodes[name=node2].lsn`, `node.name`.
package struct Reference: Sendable, Hashable {
    package enum Root: Sendable, Hashable {
        case params, vars, state, run
        /// `steps.<id>`
        case step(String)
        /// The variable of a `for_each`.
        case loop(String)
    }
    package var root: Root
    /// Behind the root; nil when the root itself is meant.
    package var path: StatePath?
    package var at: TextRange
    /// As it was written, without `${` and `}`.
    package var source: String
}

/// A value before it is filled in.
package struct ValueTemplate: Sendable, Hashable {
    package indirect enum Content: Sendable, Hashable {
        /// Null, a boolean or a number.
        case literal(RunbookValue)
        case text(Template)
        case list([ValueTemplate])
        case map([Argument])
    }
    package var content: Content
    package var at: TextRange

    package init(_ content: Content, at: TextRange = .none) {
        self.content = content
        self.at = at
    }

    /// Every reference in it, in the order of the text.
    package var references: [Reference] {
        switch content {
        case .literal: []
        case .text(let template): template.references
        case .list(let elements): elements.flatMap(\.references)
        case .map(let entries): entries.flatMap(\.value.references)
        }
    }

    /// The value, when there is no reference in it.
    package var constant: RunbookValue? {
        switch content {
        case .literal(let value): return value
        case .text(let template): return template.literal.map(RunbookValue.string)
        case .list(let elements):
            let values = elements.compactMap(\.constant)
            return values.count == elements.count ? .array(values) : nil
        case .map(let entries):
            let members = entries.compactMap { entry in
                entry.value.constant.map { RunbookValue.Member(name: entry.name.value, value: $0) }
            }
            return members.count == entries.count ? .object(members) : nil
        }
    }
}

/// `name: value` of `with`, `params` or `vars`, in the order of the file.
package struct Argument: Sendable, Hashable {
    package var name: Located<String>
    package var value: ValueTemplate
    package init(_ name: Located<String>, _ value: ValueTemplate) {
        self.name = name
        self.value = value
    }
}

extension JSONValue {
    /// A value that cannot be known, as plans and journals write it.
    package static func unknown(_ reason: String) -> JSONValue { .record([("unknown", .string(reason))]) }

    /// Why the value is not known; nil for every other value.
    package var unknownReason: String? {
        guard case .object(let members) = self, members.count == 1, members[0].name == "unknown" else { return nil }
        return members[0].value.string
    }
}
