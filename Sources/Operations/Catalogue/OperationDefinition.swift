import ClusterModel

/// Everything a surface needs to know of an operation without running it.
package struct OperationDefinition: Sendable {
    package enum Risk: String, Sendable, Codable { case reads, reversible, disruptive, destructive }
    package enum Scope: String, Sendable, Codable { case anyNode = "any_node", leader, thisNode = "this_node", offline }

    /// Canonical command words joined by dots: `peer.add`.
    package var name: String
    /// One line, lower case, no full stop.
    package var summary: String
    package var discussion: String
    package var parameters: [ParameterDefinition]
    package var risk: Risk
    package var scope: Scope
    /// Ids of the named checks it refuses with; `*` behind an id: overridable.
    package var checks: [String]
    package var isIdempotent: Bool
    package var errorCodes: [ErrorCode]
    package var examples: [String]
    /// Other command words with the same meaning: `["peers"]`.
    package var aliases: [String]

    package init(
        name: String, summary: String, discussion: String = "", parameters: [ParameterDefinition] = [],
        risk: Risk = .reads, scope: Scope = .anyNode, checks: [String] = [], isIdempotent: Bool = true,
        errorCodes: [ErrorCode] = [], examples: [String] = [], aliases: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.discussion = discussion
        self.parameters = parameters
        self.risk = risk
        self.scope = scope
        self.checks = checks
        self.isIdempotent = isIdempotent
        self.errorCodes = errorCodes
        self.examples = examples
        self.aliases = aliases
    }

    /// Ids of the checks that `--override` may pass.
    package var overridableChecks: [String] { checks.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) } }

    /// `["peer", "add"]`
    package var words: [String] { name.split(separator: ".").map(String.init) }
    /// `PeerAddResult`: the `kind` of the JSON envelope.
    package var resultKind: String {
        words.flatMap { $0.split(separator: "-") }.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
            + "Result"
    }
}

/// One parameter: a JSON field of the input, an argument or option of the command.
package struct ParameterDefinition: Sendable {
    package enum Kind: String, Sendable, Codable {
        case text, name, nodeName = "node_name", address, flag, integer, size, duration, choice, textList = "text_list"
    }
    /// snake_case, the JSON field; options are spelled with hyphens.
    package var name: String
    package var kind: Kind
    package var help: String
    package var isRequired: Bool
    /// Given by position on the command line (0 first); nil: an option.
    package var position: Int?
    package var defaultText: String?
    package var choices: [String]
    package var example: String?
    /// The risk of the operation when this parameter is given; nil: unchanged.
    package var raisesRiskTo: OperationDefinition.Risk?
    /// What else must hold of a value; checked before the operation sees it, and part of its JSON Schema.
    package var limits = ParameterLimits()
    package init(
        name: String, kind: Kind, help: String, isRequired: Bool = false, position: Int? = nil,
        defaultText: String? = nil, choices: [String] = [], example: String? = nil,
        raisesRiskTo: OperationDefinition.Risk? = nil, limits: ParameterLimits = ParameterLimits()
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.isRequired = isRequired
        self.position = position
        self.defaultText = defaultText
        self.choices = choices
        self.example = example
        self.raisesRiskTo = raisesRiskTo
        self.limits = limits
    }
}
