import ClusterModel
import Operations

/// `completions bash|zsh|fish`: the script for a shell, generated from the commands there are.
struct CompletionsCommand: TreeCommand {
    var tree = CommandTree.empty

    let definition = LocalCommandDefinition(
        words: ["completions"], summary: "print the completion script for a shell",
        parameters: [
            ParameterDefinition(
                name: "shell", kind: .choice, help: "shell", isRequired: true, position: 0,
                choices: CompletionScript.allCases.map(\.rawValue))
        ],
        examples: ["pgbastion completions bash > /etc/bash_completion.d/pgbastion"])

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        guard let script = CompletionScript(rawValue: arguments.text("shell") ?? "") else {
            throw BastionError(.usage, "unknown shell \"\(arguments.text("shell") ?? "")\"")
        }
        terminal.write(script.text(CompletionModel(tree)))
        return .finished(0)
    }
}
