import ClusterModel
import Operations

/// A command that works on this machine without asking a daemon: `serve`, `config validate`, `sandbox start`, ...
package protocol LocalCommand: Sendable {
    var definition: LocalCommandDefinition { get }
    /// An error thrown is printed as every other error, and decides the exit status.
    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome
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

    package init(
        words: [String], summary: String, discussion: String = "", parameters: [ParameterDefinition] = [],
        examples: [String] = [], aliases: [String] = [], isHidden: Bool = false, takesRawArguments: Bool = false
    ) {
        self.words = words
        self.summary = summary
        self.discussion = discussion
        self.parameters = parameters
        self.examples = examples
        self.aliases = aliases
        self.isHidden = isHidden
        self.takesRawArguments = takesRawArguments
    }
}

/// What a local command gives back to be printed in the format asked for.
package struct LocalOutcome: Sendable {
    package var exitStatus: Int32
    /// nil: the command printed its output itself, in every format.
    package var text: String?
    package var data: JSONValue
    package var names: [String]

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
