import Operations

/// Finds the command that the first words of a line name.
struct CommandTree: Sendable {
    enum Resolution {
        case overview
        case version
        /// A group word alone, or with `--help`.
        case group(String)
        case command(CommandEntry, rest: [String])
        /// A usage error: its text.
        case wrong(String)
    }

    /// In the order of the catalogue, local commands last; no two have the same words.
    let entries: [CommandEntry]

    static let empty = CommandTree(operations: [], localCommands: [])

    /// A local command takes the place of an operation with the same words.
    init(operations: [AnyOperation], localCommands: [any LocalCommand]) {
        let local = localCommands.map(CommandEntry.init)
        let names = Set(local.map(\.words))
        entries = operations.map(CommandEntry.init).filter { !names.contains($0.words) } + local
    }

    var visibleEntries: [CommandEntry] { entries.filter { !$0.isHidden } }

    func resolve(_ arguments: [String]) -> Resolution {
        guard let first = arguments.first else { return .overview }
        if first == "--help" || first == "-h" { return .overview }
        if first == "--version" { return .version }
        guard !first.hasPrefix("-") else { return .wrong(Self.misplaced(first)) }
        let typed = Array(arguments.prefix { !$0.hasPrefix("-") })
        for length in stride(from: min(typed.count, longestWords), to: 0, by: -1) {
            let words = Array(typed.prefix(length))
            guard let entry = entry(words) else { continue }
            let rest = Array(arguments.dropFirst(length))
            return check(entry, typed: words, next: typed.dropFirst(length).first, rest: rest)
        }
        if isGroup(first) {
            guard typed.count > 1 else { return groupAlone(first, options: Array(arguments.dropFirst())) }
            return .wrong(unknown(Array(typed.prefix(2))))
        }
        return .wrong(unknown(typed))
    }

    /// The command with these words or with this alias.
    func entry(_ words: [String]) -> CommandEntry? {
        entries.first { $0.words == words } ?? entries.first { $0.aliases.contains(words) }
    }

    func isGroup(_ word: String) -> Bool { entries.contains { $0.words.count > 1 && $0.words.first == word } }

    func members(of group: String) -> [CommandEntry] {
        visibleEntries.filter { $0.words.count > 1 && $0.words.first == group }
    }

    private var longestWords: Int { entries.map(\.words.count).max() ?? 1 }

    /// The default of a group takes no positional argument: `backup lst` is a slip, not an argument (3.10).
    private func check(_ entry: CommandEntry, typed: [String], next: String?, rest: [String]) -> Resolution {
        guard entry.words != typed, let group = typed.first, typed.count == 1, isGroup(group) else {
            return .command(entry, rest: rest)
        }
        if rest.first == "--help" || rest.first == "-h" { return .group(group) }
        guard let next else { return .command(entry, rest: rest) }
        return .wrong(unknown([group, next]))
    }

    private func groupAlone(_ group: String, options: [String]) -> Resolution {
        guard let option = options.first, option != "--help", option != "-h" else { return .group(group) }
        return .wrong("Error: Missing command word after 'pgbastion \(group)'.\n" + Self.seeHelp([group]))
    }

    func unknown(_ words: [String]) -> String {
        let typed = words.joined(separator: " ")
        let groupWord = words.first.map(isGroup) == true
        let shown = groupWord ? typed : words.first ?? typed
        let candidates = visibleEntries.flatMap { [$0.words] + $0.aliases }.map { $0.joined(separator: " ") }
        let guess =
            NameSuggestion.closest(to: typed, among: candidates)
            ?? NameSuggestion.closest(to: words.first ?? typed, among: candidates + groups)
        var text = "Error: Unknown command '\(shown)'."
        if let guess { text += " Did you mean 'pgbastion \(guess)'?" }
        return text + "\n" + Self.seeHelp(groupWord ? Array(words.prefix(1)) : [])
    }

    private var groups: [String] {
        var seen: [String] = []
        for entry in visibleEntries where entry.words.count > 1 {
            if let group = entry.words.first, !seen.contains(group) { seen.append(group) }
        }
        return seen
    }

    private static func misplaced(_ option: String) -> String {
        "Error: Unknown option '\(option)'. Options go after the command words: pgbastion status \(option) ...\n"
            + seeHelp([])
    }

    private static func seeHelp(_ words: [String]) -> String {
        "  See '\((["pgbastion"] + words + ["--help"]).joined(separator: " "))' for more information."
    }
}
