import ClusterModel

/// A path into the state document: `raft.has_quorum`, `nodes[name=${params.target}].lag_bytes`, `nodes[*].version`.
package struct StatePath: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        case key(Located<String>)
        /// `[*]`
        case every
        /// `[role=replica,healthy=true]`
        case selector([Condition])
    }
    /// `field=value` of a selector.
    package struct Condition: Sendable, Hashable {
        package var field: Located<String>
        package var value: Template
    }
    package var steps: [Step]
    package var at: TextRange

    package init(_ steps: [Step], at: TextRange) {
        self.steps = steps
        self.at = at
    }

    package var references: [Reference] {
        steps.flatMap { step -> [Reference] in
            guard case .selector(let conditions) = step else { return [] }
            return conditions.flatMap(\.value.references)
        }
    }

    /// As it was written, apart from quotes.
    package var source: String { text { $0.source } }

    /// As text, with the selectors' values given by `fill`.
    func text(_ fill: (Template) -> String) -> String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key.value
            case .every: text += "[*]"
            case .selector(let conditions):
                text += "[\(conditions.map { "\($0.field.value)=\(fill($0.value))" }.joined(separator: ","))]"
            }
        }
        return text
    }
}
