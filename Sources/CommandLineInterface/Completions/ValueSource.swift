import Operations

/// Where the values of an argument come from while somebody types it.
enum ValueSource: Sendable, Equatable {
    /// Names of the cluster or of this machine, asked for by `__complete`.
    case names(Names)
    case fixed([String])
    case file
    /// Anything; the shell offers nothing.
    case free

    /// The raw value is the word after `__complete`.
    enum Names: String, CaseIterable, Sendable {
        case nodes, operations, directives, slots, backups, runbooks, runs, contexts, tokens

        /// The command whose bare names these are.
        var words: [String] {
            switch self {
            case .nodes: ["peer", "list"]
            case .operations: ["op", "list"]
            case .directives: ["directive", "list"]
            case .slots: ["replication", "slots"]
            case .backups: ["backup", "list"]
            case .runbooks: ["runbook", "list"]
            case .runs: ["runbook", "history"]
            case .contexts: ["context", "list"]
            case .tokens: ["token", "list"]
            }
        }
    }

    /// - Parameter words: Those of the command.
    init(_ argument: ArgumentSpecification, of words: [String]) {
        if !argument.choices.isEmpty {
            self = .fixed(argument.choices)
        } else if argument.kind == .file {
            self = .file
        } else if argument.kind == .nodeName {
            self = .names(.nodes)
        } else if let names = Self.names(argument, words) {
            self = .names(names)
        } else if words == ["wait"], argument.position != nil {
            self = .fixed(Self.conditions)
        } else {
            self = .free
        }
    }

    private static let conditions = [
        "leader", "quorum", "healthy", "primary", "caught-up", "streaming", "paused", "resumed",
    ]

    /// By the name of the argument, and by the group where the name alone says too little.
    private static func names(_ argument: ArgumentSpecification, _ words: [String]) -> Names? {
        switch (argument.name, words.first, argument.position != nil) {
        case ("context", _, false): .contexts
        case ("name", "context", true) where words != ["context", "add"]: .contexts
        case ("id", "op", _): .operations
        case ("id", "directive", _): .directives
        case ("slot", _, true): .slots
        case ("archive", _, _), ("archives", _, _): .backups
        case ("run_id", _, _): .runs
        case ("name", "runbook", true): .runbooks
        case ("name", "token", true) where words != ["token", "create"]: .tokens
        case ("name", "peer", true) where words == ["peer", "promote"] || words == ["peer", "remove"]: .nodes
        default: nil
        }
    }

    /// What the scripts know it by: `@nodes`, `FILE`, `VALUE`, or the values themselves.
    var token: String {
        switch self {
        case .names(let names): "@" + names.rawValue
        case .fixed(let values): values.joined(separator: " ")
        case .file: "FILE"
        case .free: "VALUE"
        }
    }
}
