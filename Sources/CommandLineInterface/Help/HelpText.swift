import Operations

/// Help as it is printed; written from the same values the commands are parsed with.
enum HelpText {
    /// Width where there is no terminal to ask.
    static let columns = 100

    /// Usage, arguments, options, risk, examples, exit codes of one command (`cli.md` section 12).
    static func command(_ entry: CommandEntry, columns: Int?) -> String {
        var parts = [entry.shape.help(columns: columns)]
        if !entry.aliases.isEmpty {
            parts.append("ALIASES:\n" + indented(entry.aliases.map { "pgbastion " + $0.joined(separator: " ") }))
        }
        if let risk = entry.risk { parts.append("RISK:\n" + indented([describe(risk)] + raises(entry))) }
        if !entry.checks.isEmpty { parts.append("REFUSES WITH:\n" + indented(entry.checks.map(describe(check:)))) }
        if !entry.examples.isEmpty { parts.append("EXAMPLES:\n" + indented(entry.examples.map(example))) }
        if !entry.exitStatuses.isEmpty {
            let known = HelpTopic.exitStatuses.filter { entry.exitStatuses.contains($0.status) }
            parts.append("EXIT CODES:\n" + indented(known.map { "\(pad("\($0.status)", 3)) \($0.meaning)" }))
        }
        return parts.joined(separator: "\n\n")
    }

    /// The most used commands with examples, then all of them by group.
    static func overview(_ tree: CommandTree) -> String {
        var parts = [
            "pgbastion keeps a PostgreSQL cluster available: consensus, failover and routing in one binary.",
            "USAGE: pgbastion <command> [<arguments>] [<options>]",
        ]
        let used = mostUsed.filter { tree.entry($0.words) != nil }
        if !used.isEmpty {
            let width = used.map(\.example.count).max() ?? 0
            parts.append("MOST USED:\n" + indented(used.map { "\(pad($0.example, width))  \($0.meaning)" }))
        }
        let width = tree.visibleEntries.map { $0.words.joined(separator: " ").count }.max() ?? 0
        for section in CommandSection.allCases {
            let entries = tree.visibleEntries.filter { CommandSection.of($0) == section }
            guard !entries.isEmpty else { continue }
            parts.append("\(section.rawValue.uppercased()):\n" + indented(entries.map { line($0, width: width) }))
        }
        parts.append(
            "Options go after the command words. See 'pgbastion <command> --help' and 'pgbastion help <topic>' with\n"
                + "topic one of \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")).")
        return parts.joined(separator: "\n\n")
    }

    /// The commands of a group word.
    static func group(_ word: String, in tree: CommandTree) -> String {
        let members = tree.members(of: word)
        let width = members.map { $0.words.joined(separator: " ").count }.max() ?? 0
        var text = "USAGE: pgbastion \(word) <command>\n\nCOMMANDS:\n"
        text += indented(members.map { line($0, width: width) })
        if let standard = tree.entry([word]) {
            text += "\n\n'pgbastion \(word)' alone is 'pgbastion \(standard.words.joined(separator: " "))'."
        }
        return text + "\n\nSee 'pgbastion \(word) <command> --help' for more information."
    }

    private static let mostUsed: [(words: [String], example: String, meaning: String)] = [
        (["status"], "pgbastion status", "the cluster at a glance"),
        (["replication", "status"], "pgbastion lag", "replication lag of every replica"),
        (["switchover"], "pgbastion switchover node2", "planned change of the primary, without loss"),
        (["pause"], "pgbastion pause --for 2h --reason maintenance", "no automatic failover for a while"),
        (["peer", "add"], "pgbastion peer add node3 10.0.1.3", "add a member"),
    ]

    private static func line(_ entry: CommandEntry, width: Int) -> String {
        var text = pad(entry.words.joined(separator: " "), width) + "  " + entry.summary
        let aliases = entry.aliases.map { $0.joined(separator: " ") }
        if !aliases.isEmpty { text += " (also: \(aliases.joined(separator: ", ")))" }
        return text
    }

    static func describe(_ risk: OperationDefinition.Risk) -> String {
        switch risk {
        case .reads: "changes nothing"
        case .reversible: "changes the cluster, can be undone; asks nothing"
        case .disruptive: "interrupts service or a node; asks y/N, --yes skips the question"
        case .destructive: "can lose data; asks for the cluster's name, --confirm NAME gives it"
        }
    }

    static func raises(_ entry: CommandEntry) -> [String] {
        guard case .operation(let operation) = entry.action else { return [] }
        return operation.definition.parameters.compactMap { parameter in
            guard let risk = parameter.raisesRiskTo else { return nil }
            let name = ArgumentSpecification(parameter).spellings.last ?? parameter.name
            return "with \(name): \(describe(risk))"
        }
    }

    private static func describe(check: String) -> String {
        check.hasSuffix("*") ? "\(check.dropLast()) (can be overridden)" : check
    }

    private static func example(_ text: String) -> String { text.hasPrefix("pgbastion") ? text : "pgbastion " + text }

    private static func indented(_ lines: [String]) -> String { lines.map { "  " + $0 }.joined(separator: "\n") }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// The groups of the overview (`cli.md` section 3).
enum CommandSection: String, CaseIterable {
    case daemon = "Daemon and overview"
    case membership = "Membership and nodes"
    case failover = "Roles and failover"
    case views = "Views"
    case consensus = "Consensus"
    case postgres = "PostgreSQL"
    case backup = "Backup and restore of the cluster state"
    case runbooks = "Runbooks, operations, state"
    case setup = "Upgrade, diagnosis, setup"

    /// By the first command word; what is not listed is set-up.
    private static let words: [(section: CommandSection, first: [String])] = [
        (.daemon, ["serve", "status", "health", "leader", "version", "wait", "topology", "explain"]),
        (.membership, ["peer", "node"]),
        (.failover, ["switchover", "failover", "pause", "resume"]),
        (
            .views,
            [
                "replication", "slot", "routes", "connections", "vip", "directive", "health-history", "history",
                "events",
                "logs", "metrics",
            ]
        ),
        (.consensus, ["raft"]), (.postgres, ["postgres", "standby", "pgconfig"]), (.backup, ["backup", "restore"]),
        (.runbooks, ["runbook", "op", "state", "audit"]),
    ]

    static func of(_ entry: CommandEntry) -> CommandSection {
        words.first { $0.first.contains(entry.words.first ?? "") }?.section ?? .setup
    }
}
