/// What the three shells are told: the words that may follow, the options of every command, and where values come from.
struct CompletionModel: Sendable {
    struct Command: Sendable {
        /// Spelled with spaces: `peer add`.
        var path: String
        var summary: String
        /// The canonical words, also for an alias.
        var words: [String]
        var options: [ArgumentSpecification]
        var positional: [ArgumentSpecification]
        /// Ids that `--override` takes.
        var checks: [String]

        func values(of option: ArgumentSpecification) -> ValueSource {
            option.name == "override" ? .fixed(checks) : ValueSource(option, of: words)
        }

        /// By position; a list takes all that follow and ends with `...`.
        var argumentTokens: [String] {
            positional.map { argument in
                let token = ValueSource(argument, of: words).token
                return argument.kind == .textList ? token + "..." : token
            }
        }
    }
    struct Word: Sendable {
        /// The words before it, joined by spaces; empty at the beginning.
        var after: String
        var word: String
        var summary: String
    }

    /// Canonical words and aliases, in the order of the help.
    var commands: [Command] = []
    /// Without repetition.
    var words: [Word] = []

    init(_ tree: CommandTree) {
        for entry in tree.visibleEntries {
            for path in [entry.words] + entry.aliases where !commands.contains(where: { $0.path == Self.joined(path) }) {
                commands.append(
                    Command(
                        path: Self.joined(path), summary: entry.summary, words: entry.words,
                        options: entry.shape.arguments.filter { $0.position == nil },
                        positional: entry.shape.ownArguments.filter { $0.position != nil },
                        checks: entry.checks.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }))
                add(path, summary: entry.summary)
            }
        }
        for topic in HelpTopic.allCases {
            words.append(Word(after: "help", word: topic.rawValue, summary: "help topic"))
        }
    }

    /// Paths at which something follows, in order.
    var places: [String] {
        var seen: [String] = []
        for word in words where !seen.contains(word.after) { seen.append(word.after) }
        return seen
    }

    func words(after path: String) -> [Word] { words.filter { $0.after == path } }

    private mutating func add(_ path: [String], summary: String) {
        for (index, word) in path.enumerated() {
            let after = Self.joined(Array(path.prefix(index)))
            let isLast = index == path.count - 1
            if let known = words.firstIndex(where: { $0.after == after && $0.word == word }) {
                if isLast { words[known].summary = summary }
            } else {
                words.append(Word(after: after, word: word, summary: isLast ? summary : "\(word) commands"))
            }
        }
    }

    private static func joined(_ words: [String]) -> String { words.joined(separator: " ") }
}

/// The four tables of every script: what follows a path of words. Equal rows are told once.
struct CompletionTables: Sendable {
    struct Row: Sendable {
        /// Patterns of `path`, or of `path option`; any of them matches.
        var patterns: [String]
        /// Candidates, one per element, with their meaning.
        var entries: [(text: String, meaning: String)]
        var texts: String { entries.map(\.text).joined(separator: " ") }
    }

    var words: [Row]
    var options: [Row]
    /// Where the value of an option comes from; the first row that matches counts.
    var values: [Row]
    /// Where positional arguments come from, in order.
    var arguments: [Row]

    init(_ model: CompletionModel) {
        words = model.places.map { place in
            Row(patterns: [place], entries: model.words(after: place).map { ($0.word, $0.summary) })
        }
        options = Self.merged(
            model.commands.map { command in
                let spellings = command.options.flatMap { option in option.spellings.map { ($0, option.help) } }
                return Row(patterns: [command.path], entries: spellings + [("--help", "show help")])
            })
        arguments = Self.merged(
            model.commands.filter { !$0.positional.isEmpty }.map { command in
                Row(patterns: [command.path], entries: command.argumentTokens.map { ($0, "") })
            })
        values = Self.values(model)
    }

    /// An option of a command itself is told per command, before the common ones, which mean the same everywhere.
    private static func values(_ model: CompletionModel) -> [Row] {
        var own: [Row] = []
        var common: [Row] = []
        for command in model.commands {
            for option in command.options where option.kind != .flag {
                let token = [(text: command.values(of: option).token, meaning: "")]
                if option.section == .own || option.name == "override" {
                    own.append(Row(patterns: option.spellings.map { "\(command.path) \($0)" }, entries: token))
                } else {
                    let row = Row(patterns: option.spellings.map { "* \($0)" }, entries: token)
                    if !common.contains(where: { $0.patterns == row.patterns }) { common.append(row) }
                }
            }
        }
        return merged(own) + common
    }

    private static func merged(_ rows: [Row]) -> [Row] {
        var merged: [Row] = []
        for row in rows {
            if let index = merged.firstIndex(where: { $0.texts == row.texts }) {
                merged[index].patterns += row.patterns
            } else {
                merged.append(row)
            }
        }
        return merged
    }
}
