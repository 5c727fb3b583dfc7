import ClusterModel
import Operations

/// `help [COMMAND...|TOPIC]`
struct HelpCommand: TreeCommand, ConnectedLocalCommand {
    var tree = CommandTree.empty
    var surroundings: ClientSurroundings?

    var definition: LocalCommandDefinition {
        LocalCommandDefinition(
            words: ["help"], summary: "help for a command or a topic",
            discussion: "Topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")).",
            parameters: [
                ParameterDefinition(name: "command", kind: .textList, help: "command words or a topic", position: 0)
            ],
            examples: ["pgbastion help switchover", "pgbastion help exit-codes"])
    }

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let text = try text(arguments.list("command"), columns: terminal.isOutputTerminal ? nil : HelpText.columns)
        if !isPaged(text, terminal) { terminal.say(text) }
        return .finished(0)
    }

    /// Only what is longer than the screen, and only with a pager that somebody chose.
    private func isPaged(_ text: String, _ terminal: Terminal) -> Bool {
        guard terminal.isOutputTerminal, let rows = terminal.size()?.rows,
            let pager = surroundings?.environment["PAGER"], !pager.isEmpty
        else { return false }
        return text.split(separator: "\n", omittingEmptySubsequences: false).count >= rows && terminal.page(text + "\n", pager)
    }

    private func text(_ words: [String], columns: Int?) throws(BastionError) -> String {
        guard let first = words.first else { return HelpText.overview(tree) }
        if words.count == 1, let topic = HelpTopic(rawValue: first) { return topic.text }
        if words.count == 1, tree.isGroup(first) { return HelpText.group(first, in: tree) }
        if let entry = tree.entry(words) { return HelpText.command(entry, columns: columns) }
        let unknown = tree.unknown(words).split(separator: "\n").first.map(String.init) ?? ""
        throw BastionError(.usage, String(unknown.dropFirst("Error: ".count)))
    }
}
