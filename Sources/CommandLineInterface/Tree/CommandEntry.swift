import ClusterModel
import Operations

/// One command a person can type: an operation of the catalogue or a local command.
struct CommandEntry: Sendable {
    enum Action: Sendable {
        case operation(AnyOperation)
        case local(any LocalCommand)
    }

    var shape: CommandShape
    /// Other words with the same meaning, each split into words.
    var aliases: [[String]]
    var action: Action
    var risk: OperationDefinition.Risk?
    var checks: [String]
    var examples: [String]
    var exitStatuses: [Int32]
    var isHidden: Bool
    var takesRawArguments: Bool

    var words: [String] { shape.words }
    var summary: String { shape.summary }
}

extension CommandEntry {
    init(_ operation: AnyOperation) {
        let definition = operation.definition
        let own = definition.parameters.map(ArgumentSpecification.init)
        self.init(
            shape: CommandShape(
                words: definition.words, summary: definition.summary, discussion: definition.discussion,
                arguments: own + CommonArguments.arguments(of: definition)),
            aliases: definition.aliases.map(Self.split),
            action: .operation(operation), risk: definition.risk, checks: definition.checks,
            examples: definition.examples,
            exitStatuses: Set([0, 4, 5, 6, 64] + definition.errorCodes.map(\.exitStatus)).sorted(),
            isHidden: false, takesRawArguments: false)
    }

    init(_ command: any LocalCommand) {
        let definition = command.definition
        let own = definition.parameters.map(ArgumentSpecification.init)
        let refusal: [Int32] = definition.risk.map { $0 == .reads || $0 == .reversible ? [] : [3] } ?? []
        self.init(
            shape: CommandShape(
                words: definition.words, summary: definition.summary, discussion: definition.discussion,
                arguments: own + CommonArguments.arguments(of: definition)),
            aliases: definition.aliases.map(Self.split), action: .local(command), risk: definition.risk,
            checks: definition.checks, examples: definition.examples,
            exitStatuses: Set([0, 64] + refusal + definition.errorCodes.map(\.exitStatus)).sorted(),
            isHidden: definition.isHidden, takesRawArguments: definition.takesRawArguments)
    }

    private static func split(_ words: String) -> [String] {
        words.split(whereSeparator: { $0 == " " || $0 == "." }).map(String.init)
    }
}
