import ClusterModel
import Operations

/// A command that works on this machine without asking a daemon: `serve`, `config validate`, `sandbox start`, ...
package protocol LocalCommand: Sendable {
    var definition: LocalCommandDefinition { get }
    /// An error thrown is printed as every other error, and decides the exit status.
    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome
}

/// A local command that tells what it would do before it does it: for the question of section 8, and for `--dry-run`.
package protocol ConfirmedLocalCommand: LocalCommand {
    /// Changes nothing; throws what the command would be refused with.
    func rehearse(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalPlan
}

/// What a local command would do.
package struct LocalPlan: Sendable {
    /// Before, after, what is lost: lines for people.
    package var summary: String
    package var data: JSONValue
    /// What has to be typed to confirm a destructive command, and what it names: `("node1", "node")`.
    package var name: String
    package var subject: String
    /// 2 when `--dry-run` has warnings.
    package var exitStatus: Int32
    /// False: there is nothing to do, and nobody is asked.
    package var hasWork = true

    package init(
        summary: String, data: JSONValue = .object([]), name: String, subject: String = "cluster", exitStatus: Int32 = 0
    ) {
        self.summary = summary
        self.data = data
        self.name = name
        self.subject = subject
        self.exitStatus = exitStatus
    }
}

/// A local command that asks a daemon as well, in its own way; it is given the means before it runs.
package protocol ConnectedLocalCommand: LocalCommand {
    var surroundings: ClientSurroundings? { get set }
}

/// What the client has: the way to a daemon, and the environment.
package struct ClientSurroundings: Sendable {
    package var connector: ClientConnector
    package var environment: [String: String]
    package init(connector: ClientConnector, environment: [String: String]) {
        self.connector = connector
        self.environment = environment
    }

    /// A way to the daemons of a named context.
    package func invoker(context name: String) throws(BastionError) -> any OperationInvoker {
        try connector.makeInvoker(ConnectionOptions(ParsedArguments(), environment: [:], context: try connector.findContext(name)))
    }

    /// A way to the daemon that the arguments, the environment or the current context name.
    package func invoker(_ arguments: ParsedArguments) throws(BastionError) -> any OperationInvoker {
        let context = try connector.context(arguments)
        return try connector.makeInvoker(ConnectionOptions(arguments, environment: environment, context: context))
    }
}

/// A local command about the commands there are; it is given all of them before it runs.
protocol TreeCommand: LocalCommand {
    var tree: CommandTree { get set }
}

package struct LocalCommandDefinition: Sendable {
    /// `["config", "validate"]`
    package var words: [String]
    /// One line, lower case, no full stop.
    package var summary: String
    package var discussion: String
    package var parameters: [ParameterDefinition]
    package var examples: [String]
    /// Other command words with the same meaning: `["start"]`.
    package var aliases: [String]
    /// In no list, help or completion.
    package var isHidden: Bool
    /// Everything after the words goes to `list("arguments")` unread.
    package var takesRawArguments: Bool
    /// nil: a daemon or a local tool, without confirmation. A disruptive or destructive one is a `ConfirmedLocalCommand`.
    package var risk: OperationDefinition.Risk?
    /// Ids of the named checks it refuses with; `*` behind an id: overridable.
    package var checks: [String]
    package var errorCodes: [ErrorCode]
    /// Parameters that are a word of the command's name: `restore --bootstrap` is `restore.bootstrap`.
    package var modes: [String] = []
    /// Also asks a daemon: it takes the options of the connection.
    package var isConnected = false
    /// Values of `-o` beside the usual ones: text forms that the command makes itself.
    package var extraFormats: [String] = []
    /// Makes the JSON Schema of `data`; nil: any object. Only the reference asks for it, and every command would pay for it.
    package var outputSchema: @Sendable () -> JSONValue? = { nil }

    package init(
        words: [String], summary: String, discussion: String = "", parameters: [ParameterDefinition] = [],
        examples: [String] = [], aliases: [String] = [], isHidden: Bool = false, takesRawArguments: Bool = false,
        risk: OperationDefinition.Risk? = nil, checks: [String] = [], errorCodes: [ErrorCode] = []
    ) {
        self.words = words
        self.summary = summary
        self.discussion = discussion
        self.parameters = parameters
        self.examples = examples
        self.aliases = aliases
        self.isHidden = isHidden
        self.takesRawArguments = takesRawArguments
        self.risk = risk
        self.checks = checks
        self.errorCodes = errorCodes
    }
}

extension LocalCommandDefinition {
    /// An operation that is carried out on this machine, as a command.
    package init(
        _ operation: OperationDefinition, isConnected: Bool = false, outputSchema: @escaping @Sendable () -> JSONValue? = { nil }
    ) {
        self.init(
            words: operation.words, summary: operation.summary, discussion: operation.discussion, parameters: operation.parameters,
            examples: operation.examples, aliases: operation.aliases, risk: operation.risk, checks: operation.checks,
            errorCodes: operation.errorCodes)
        self.isConnected = isConnected
        self.outputSchema = outputSchema
    }

    /// `ConfigValidateResult`: the `kind` of the JSON envelope.
    var resultKind: String { OperationDefinition(name: words.joined(separator: "."), summary: "").resultKind }
}

/// What a local command gives back to be printed in the format asked for.
package struct LocalOutcome: Sendable {
    package var exitStatus: Int32
    /// nil: the command printed its output itself, in every format.
    package var text: String?
    package var data: JSONValue
    package var names: [String]
    /// `warnings` of the envelope.
    package var warnings: [String] = []

    package init(_ answer: LocalAnswer) {
        self.init(text: answer.text, data: answer.data, names: answer.names, exitStatus: answer.exitStatus)
        warnings = answer.warnings
    }

    package init(text: String?, data: JSONValue = .object([]), names: [String] = [], exitStatus: Int32 = 0) {
        self.text = text
        self.data = data
        self.names = names
        self.exitStatus = exitStatus
    }
    /// The command did everything itself.
    package static func finished(_ exitStatus: Int32) -> LocalOutcome {
        LocalOutcome(text: nil, exitStatus: exitStatus)
    }
}
