import ClusterModel
import Operations

/// Everything a condition or reference can see at one moment.
package struct EvaluationScope: Sendable {
    /// One state document.
    package var state: JSONValue
    /// Null: an optional parameter that was not given.
    package var params: [String: RunbookValue] = [:]
    package var vars: [String: RunbookValue] = [:]
    /// Outputs of the steps that ran, by id.
    package var steps: [String: RunbookValue] = [:]
    /// `id`, `runbook`, `user`, `node`, `started_at`
    package var run: RunbookValue = .object([])
    package var loop: (name: String, item: RunbookValue)?
    /// State documents of other clusters, for checks that name a context.
    package var contexts: [String: JSONValue] = [:]
    let schema = StateSchema.standard

    package init(state: JSONValue) { self.state = state }

    // MARK: Values

    /// The value of a reference; what cannot be known is `{"unknown": reason}`.
    package func value(of reference: Reference) -> RunbookValue {
        switch reference.root {
        case .params: named(reference, in: params)
        case .vars: named(reference, in: vars)
        case .step(let id):
            if let outputs = steps[id] {
                member(reference.path?.steps ?? [], of: outputs, reference)
            } else {
                .unknown("step \(id) has not run")
            }
        case .run: member(reference.path?.steps ?? [], of: run, reference)
        case .state: reference.path.map { value(at: $0) } ?? state
        case .loop(let name):
            if let loop, loop.name == name {
                member(reference.path?.steps ?? [], of: loop.item, reference)
            } else {
                .unknown("there is no \(name) here")
            }
        }
    }

    package func value(of value: ValueTemplate) -> RunbookValue {
        switch value.content {
        case .literal(let literal): literal
        case .text(let template): self.value(of: template)
        case .list(let elements): .array(elements.map { self.value(of: $0) })
        case .map(let entries): .object(entries.map { .init(name: $0.name.value, value: self.value(of: $0.value)) })
        }
    }

    /// A text that is exactly one reference keeps its type; an unknown part makes the whole text unknown.
    package func value(of template: Template) -> RunbookValue {
        if let reference = template.soleReference { return value(of: reference) }
        for reference in template.references {
            let part = value(of: reference)
            if let reason = part.unknownReason { return .unknown(reason) }
            if part == .null { return .unknown("${\(reference.source)} is not known") }
        }
        return .string(text(of: template))
    }

    /// For people: an unknown part is the word `unknown`.
    package func text(of template: Template) -> String {
        template.parts.map { part in
            switch part {
            case .text(let text): text
            case .reference(let reference): ValueText.plain(value(of: reference))
            }
        }.joined()
    }

    /// The value a path leads to; a list when it leads to several places.
    package func value(at path: StatePath) -> RunbookValue {
        switch find(path, in: state) {
        case .one(let value): value
        case .many(let values): .array(values)
        case .unknown(let reason): .unknown(reason)
        }
    }

    private func named(_ reference: Reference, in values: [String: RunbookValue]) -> RunbookValue {
        guard let path = reference.path, case .key(let name)? = path.steps.first else {
            return .unknown("${\(reference.source)} is no value")
        }
        guard let value = values[name.value] else { return .unknown("${\(reference.source)} is not known") }
        return member(Array(path.steps.dropFirst()), of: value, reference)
    }

    private func member(_ steps: [StatePath.Step], of value: RunbookValue, _ reference: Reference) -> RunbookValue {
        if steps.isEmpty || value.unknownReason != nil { return value }
        switch find(StatePath(steps, at: reference.at), in: value) {
        case .one(let value): return value
        case .many(let values): return .array(values)
        case .unknown(let reason): return .unknown(reason)
        }
    }

    // MARK: Paths

    enum Found {
        case one(RunbookValue)
        case many([RunbookValue])
        /// Not there, or a selector that cannot be filled in.
        case unknown(String)
    }

    func find(_ path: StatePath, in document: RunbookValue) -> Found {
        var values = [document]
        var isMany = false
        for (index, step) in path.steps.enumerated() {
            switch step {
            case .key(let key):
                if !isMany, let list = values.first?.elements {
                    values = list
                    isMany = true
                }
                if isMany {
                    values = values.map { $0[key.value] ?? .null }
                } else {
                    guard let value = values.first?[key.value] else { return .unknown("path not present in state") }
                    if let reason = value.unknownReason { return .unknown(reason) }
                    if value == .null, index + 1 < path.steps.count { return .unknown("\(key.value) is not known") }
                    values = [value]
                }
            case .every:
                values = values.flatMap { $0.elements ?? [] }
                isMany = true
            case .selector(let conditions):
                var wanted: [(field: String, value: String)] = []
                for condition in conditions {
                    let value = self.value(of: condition.value)
                    if let reason = value.unknownReason { return .unknown(reason) }
                    if value == .null { return .unknown("\(condition.value.source) is not known") }
                    wanted.append((condition.field.value, ValueText.plain(value)))
                }
                values = values.flatMap { $0.elements ?? [] }.filter { element in
                    wanted.allSatisfy { pair in element[pair.field].map { $0 != .null && ValueText.plain($0) == pair.value } ?? false }
                }
                if !isMany, wanted.contains(where: { $0.field == "name" || $0.field == "id" }) {
                    guard let first = values.first else { return .unknown("path not present in state") }
                    values = [first]
                } else {
                    isMany = true
                }
            }
        }
        if isMany { return .many(values) }
        return values.first.map { .one($0) } ?? .unknown("path not present in state")
    }

    /// A path with its selectors filled in, for people.
    func text(of path: StatePath) -> String { path.text { text(of: $0) } }
}
