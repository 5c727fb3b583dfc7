import ClusterModel
import Operations

/// The manual: `pgbastion(8)`, a page per command, `pgbastion.yaml(5)`, `pgbastion-runbook(5)`, `pgbastion-errors(7)`.
struct ManualPages: Sendable {
    var tree: CommandTree
    /// The keys of the configuration file; who reads it gives them.
    var configurationKeys: [ConfigurationKeyText]

    /// Sorted by path.
    var files: [DocumentFile] {
        let commands = tree.visibleEntries.map { entry in
            let text = CommandText(entry: entry)
            return DocumentFile(text.pageName + ".8", Self.page(text))
        }
        let configuration = configurationKeys.isEmpty ? [] : [DocumentFile("pgbastion.yaml.5", configuration)]
        let others = [
            DocumentFile("pgbastion.8", overview), DocumentFile("pgbastion-errors.7", errors),
            DocumentFile("pgbastion-runbook.5", Self.runbook),
        ]
        return (commands + configuration + others).sorted { $0.path < $1.path }
    }

    private var overview: String {
        var parts = [
            RoffText.title("pgbastion", 8), RoffText.section("NAME"),
            RoffText.body("pgbastion - keeps a PostgreSQL cluster available"),
            RoffText.section("SYNOPSIS"), RoffText.body("pgbastion COMMAND [ARGUMENTS] [OPTIONS]"),
            RoffText.section("DESCRIPTION"),
            RoffText.paragraph(
                "Consensus, failover and routing in one binary: the daemon (pgbastion serve) and the client for everything an "
                    + "operator does. Any node accepts any command. Options go after the command words."),
        ]
        for section in CommandSection.allCases {
            let entries = tree.visibleEntries.filter { CommandSection.of($0) == section }
            guard !entries.isEmpty else { continue }
            parts.append(RoffText.section(section.rawValue.uppercased()))
            parts += entries.map { RoffText.item(CommandText(entry: $0).name, $0.summary) }
        }
        parts.append(RoffText.section("EXIT STATUS"))
        parts += HelpTopic.exitStatuses.map { RoffText.item("\($0.status) (\($0.name))", $0.meaning) }
        parts += [RoffText.section("ENVIRONMENT")] + HelpTopic.variables.map { RoffText.item($0.name, $0.meaning) }
        parts += [RoffText.section("FILES")] + Self.paths.map { RoffText.item($0.0, $0.1) }
        let files = ["pgbastion.yaml(5)", "pgbastion-runbook(5)", "pgbastion-errors(7)"]
        parts += [RoffText.section("SEE ALSO"), RoffText.body(files.joined(separator: ", "))]
        return parts.joined(separator: "\n") + "\n"
    }

    private static let paths = [
        ("/etc/pgbastion/pgbastion.yaml", "configuration of daemon and client, pgbastion.yaml(5)"),
        ("/run/pgbastion/api.sock", "the API for users of this machine"),
        ("/var/lib/pgbastion/raft", "consensus state: members, log, snapshots"),
        ("$XDG_CONFIG_HOME/pgbastion/contexts.yaml", "clusters with names, see pgbastion-context-add(8)"),
        ("$XDG_CACHE_HOME/pgbastion/", "names for completion in the shell, at most 24 hours old"),
    ]

    private static func page(_ text: CommandText) -> String {
        let entry = text.entry
        var parts = [
            RoffText.title(text.pageName, 8), RoffText.section("NAME"),
            RoffText.body("\(text.pageName) - \(entry.summary)"), RoffText.section("SYNOPSIS"), RoffText.body(text.synopsis),
        ]
        let words = entry.shape.discussion.isEmpty ? entry.summary : entry.shape.discussion
        parts += [RoffText.section("DESCRIPTION"), RoffText.paragraph(words)]
        if !text.aliases.isEmpty { parts.append(RoffText.paragraph("Also: \(text.aliases.joined(separator: ", ")).")) }
        parts += list("ARGUMENTS", text.positional + text.options) + list("COMMON OPTIONS", text.commonOptions)
        if !text.risk.isEmpty {
            parts += [RoffText.section("RISK")] + text.risk.map(RoffText.paragraph)
        }
        if !entry.checks.isEmpty {
            parts.append(RoffText.section("CHECKS"))
            parts += entry.checks.map { id in
                RoffText.item(
                    id.hasSuffix("*") ? String(id.dropLast()) : id, id.hasSuffix("*") ? "can be overridden" : "cannot be overridden")
            }
        }
        if !entry.examples.isEmpty {
            parts += [RoffText.section("EXAMPLES"), RoffText.verbatim(entry.examples.joined(separator: "\n"))]
        }
        if !text.exitStatuses.isEmpty {
            parts.append(RoffText.section("EXIT STATUS"))
            parts += text.exitStatuses.map { RoffText.item("\($0.status) (\($0.name))", $0.meaning) }
        }
        parts += [RoffText.section("SEE ALSO"), RoffText.body("pgbastion(8), pgbastion-errors(7)")]
        return parts.joined(separator: "\n") + "\n"
    }

    private static func list(_ title: String, _ arguments: [ArgumentSpecification]) -> [String] {
        guard !arguments.isEmpty else { return [] }
        return [RoffText.section(title)]
            + arguments.map { RoffText.item(CommandText.spelling($0), CommandText.explanation($0)) }
    }

    private var errors: String {
        var parts = [
            RoffText.title("pgbastion-errors", 7), RoffText.section("NAME"),
            RoffText.body("pgbastion-errors - error codes of pgbastion"), RoffText.section("DESCRIPTION"),
            RoffText.paragraph(
                "Every error has a code, and every code one exit status and one HTTP status. The code is on the last line of an "
                    + "error, and in error.code of a JSON document."),
        ]
        for code in ErrorCode.allCases {
            parts.append(
                RoffText.item(
                    code.rawValue, "Exit \(code.exitStatus), HTTP \(code.httpStatus). \(code.meaning)\n\(code.remedy)"))
        }
        parts += [RoffText.section("SEE ALSO"), RoffText.body("pgbastion(8)")]
        return parts.joined(separator: "\n") + "\n"
    }

    private var configuration: String {
        var parts = [
            RoffText.title("pgbastion.yaml", 5), RoffText.section("NAME"),
            RoffText.body("pgbastion.yaml - configuration of a pgbastion node"), RoffText.section("DESCRIPTION"),
            RoffText.paragraph(
                "One YAML file per node, /etc/pgbastion/pgbastion.yaml; PGBASTION_CONFIG names another one. Comments may stand "
                    + "anywhere, keys in any order, sections may be absent. Unknown and duplicate keys, anchors and tags are "
                    + "errors; all errors are reported at once, with line and column. Check a file with pgbastion config "
                    + "validate, print what is in effect with pgbastion config show."),
            RoffText.section("KEYS"),
        ]
        parts += configurationKeys.map { RoffText.item($0.name, $0.meaning) }
        parts += [RoffText.section("SEE ALSO"), RoffText.body("pgbastion(8), pgbastion-config-validate(8)")]
        return parts.joined(separator: "\n") + "\n"
    }
}

/// One key of the configuration file, for its manual page.
package struct ConfigurationKeyText: Sendable {
    /// `raft.bind_port`
    package var name: String
    package var meaning: String

    package init(name: String, meaning: String) {
        self.name = name
        self.meaning = meaning
    }
}
