/// What the three shells are told: the words that may follow, and the options of every command.
struct CompletionModel: Sendable {
    struct Command: Sendable {
        /// Spelled with spaces: `peer add`.
        var path: String
        var summary: String
        var options: [ArgumentSpecification]
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
                let options = entry.shape.arguments.filter { $0.position == nil }
                commands.append(Command(path: Self.joined(path), summary: entry.summary, options: options))
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

    func options(of path: String) -> [ArgumentSpecification] { commands.first { $0.path == path }?.options ?? [] }
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
