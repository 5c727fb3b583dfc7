import ClusterModel

/// The operations on archives of the cluster state (backup-restore.md, 4 to 6). They work on a directory of the machine
/// that runs them, so the composition root carries them out and no daemon serves them.
package enum BackupOperations {
    package static let definitions: [OperationDefinition] = [create, list, show, verify, drill, prune, keep, unkeep, diff]

    /// JSON Schema of `data` of the operation of that name.
    package static func outputSchema(of name: String) -> JSONValue? {
        switch name {
        case create.name: SchemaReader.schema(of: BackupCreateOutput.self)
        case list.name: SchemaReader.schema(of: BackupListOutput.self)
        case show.name: SchemaReader.schema(of: BackupShowOutput.self)
        case verify.name: SchemaReader.schema(of: BackupVerifyOutput.self)
        case drill.name: SchemaReader.schema(of: BackupDrillOutput.self)
        case prune.name: SchemaReader.schema(of: BackupPruneOutput.self)
        case keep.name, unkeep.name: SchemaReader.schema(of: BackupKeepOutput.self)
        case diff.name: SchemaReader.schema(of: BackupDiffOutput.self)
        default: nil
        }
    }

    package static let create = OperationDefinition(
        name: "backup.create", summary: "store a verified backup of the cluster state",
        discussion: """
            A consistent copy at one log index that a quorum has confirmed, built by the daemon, verified here before it gets
            its name. Then retention removes what the policy no longer keeps. --stale takes the state of any reachable node,
            --offline that of a stopped daemon's directory. A backup holds no PostgreSQL data and no secrets.
            """,
        parameters: [
            ParameterDefinition(name: "series", kind: .text, help: "archives of one series replace one another", defaultText: "default"),
            ParameterDefinition(
                name: "label", kind: .textList, help: "KEY=VALUE kept in the manifest; may be repeated", example: "change=1234"),
            ParameterDefinition(
                name: "dir", kind: .text, help: "directory to store it in instead of backup.dir", example: "/backup/pgbastion"),
            ParameterDefinition(name: "copy_to", kind: .textList, help: "a further directory to store it in; may be repeated"),
            ParameterDefinition(name: "keep", kind: .flag, help: "never remove this archive"),
            ParameterDefinition(name: "note", kind: .text, help: "why it is kept"),
            ParameterDefinition(name: "no_prune", kind: .flag, help: "remove nothing"),
            ParameterDefinition(
                name: "retention", kind: .duration, help: "replaces backup.retention.keep_within for this run", example: "7d"),
            ParameterDefinition(name: "no_config", kind: .flag, help: "leave the configuration file out"),
            ParameterDefinition(name: "no_runbooks", kind: .flag, help: "leave the site's runbooks out"),
            ParameterDefinition(name: "stale", kind: .flag, help: "take what any node knows, without asking the leader"),
            ParameterDefinition(name: "offline", kind: .flag, help: "read the Raft directory of a stopped daemon"),
            ParameterDefinition(name: "data_dir", kind: .text, help: "with --offline: the directory instead of raft.data_dir"),
            ParameterDefinition(
                name: "assume_committed", kind: .flag, help: "with --offline: also entries not known to be committed"),
            ParameterDefinition(name: "if_leader", kind: .flag, help: "do nothing on a node that does not lead"),
            ParameterDefinition(
                name: "once_per", kind: .duration, help: "do nothing when a node has stored one in this window", example: "1d"),
            ParameterDefinition(name: "splay", kind: .duration, help: "wait a random part of this time first", example: "5m"),
            ParameterDefinition(name: "lock_wait", kind: .duration, help: "how long to wait for another backup or prune", example: "30s"),
        ],
        risk: .reversible, scope: .offline, isIdempotent: false,
        errorCodes: [.noLeader, .incomplete, .locked, .integrity, .io, .invalidConfiguration, .nodeRunning],
        examples: [
            "pgbastion backup", "pgbastion backup create --series pre-upgrade", "pgbastion backup -q --if-leader --splay 5m",
            "pgbastion backup create --offline",
        ], aliases: ["backup"])

    package static let list = OperationDefinition(
        name: "backup.list", summary: "list the backups in the directory",
        parameters: [
            directory, ParameterDefinition(name: "series", kind: .text, help: "only this series"),
            ParameterDefinition(name: "all", kind: .flag, help: "also other clusters, unsealed and quarantined archives"),
        ],
        scope: .offline, errorCodes: [.io], examples: ["pgbastion backups", "pgbastion backup list --all"], aliases: ["backups"])

    package static let show = OperationDefinition(
        name: "backup.show", summary: "show what a backup contains, and what it does not",
        parameters: [archive(required: true), directory],
        scope: .offline, errorCodes: [.notFound, .integrity, .invalidData],
        examples: ["pgbastion backup show latest", "pgbastion backup show @2026-02-15T02:00Z"])

    package static let verify = OperationDefinition(
        name: "backup.verify", summary: "verify backups: hashes, format, state",
        discussion: "Changes nothing unless --quarantine is given. Ends with 2 when an archive that is right has no sidecar.",
        parameters: [
            ParameterDefinition(
                name: "archive", kind: .textList, help: "path, id, latest, latest-verified or @TIME; default latest", position: 0),
            ParameterDefinition(name: "latest", kind: .flag, help: "the newest good backup (the default)"),
            ParameterDefinition(name: "all", kind: .flag, help: "every archive in the directory"),
            ParameterDefinition(
                name: "level", kind: .choice, help: "quick: only the hash of the file", defaultText: "full", choices: ["quick", "full"]),
            ParameterDefinition(name: "quarantine", kind: .flag, help: "put archives that fail aside"), directory,
        ],
        scope: .offline, errorCodes: [.integrity, .invalidData, .notFound],
        examples: ["pgbastion backup verify", "pgbastion backup verify --all --level quick"])

    package static let drill = OperationDefinition(
        name: "backup.drill", summary: "try a restore without touching this node",
        discussion: """
            Verifies the archive, restores it into a private temporary directory, starts one isolated member on it without any
            port, and compares the state with what a restore of this archive has to give. The directory is removed, the date
            recorded.
            """,
        parameters: [
            archive(required: false), ParameterDefinition(name: "temp", kind: .text, help: "where the temporary directory is made"),
            directory,
        ],
        scope: .offline, errorCodes: [.integrity, .notFound, .invalidData, .io], examples: ["pgbastion backup drill"])

    package static let prune = OperationDefinition(
        name: "backup.prune", summary: "remove the backups that the retention policy no longer keeps",
        discussion: "With --dry-run every archive is listed with the decision and the rules it comes from.",
        parameters: [
            directory, ParameterDefinition(name: "series", kind: .text, help: "only this series"),
            ParameterDefinition(name: "retention", kind: .duration, help: "replaces backup.retention.keep_within for this run"),
            ParameterDefinition(name: "lock_wait", kind: .duration, help: "how long to wait for another backup or prune"),
        ],
        risk: .disruptive, scope: .offline, errorCodes: [.invalidConfiguration, .incomplete, .locked, .io],
        examples: ["pgbastion backup prune --dry-run", "pgbastion backup prune --yes"])

    package static let keep = OperationDefinition(
        name: "backup.keep", summary: "keep a backup whatever the retention policy says",
        parameters: [archive(required: true), ParameterDefinition(name: "note", kind: .text, help: "why"), directory],
        risk: .reversible, scope: .offline, errorCodes: [.notFound, .locked, .io],
        examples: ["pgbastion backup keep latest --note \"before the migration\""])

    package static let unkeep = OperationDefinition(
        name: "backup.unkeep", summary: "let the retention policy decide about a backup again",
        parameters: [archive(required: true), directory],
        risk: .reversible, scope: .offline, errorCodes: [.notFound, .locked, .io], examples: ["pgbastion backup unkeep latest"])

    package static let diff = OperationDefinition(
        name: "backup.diff", summary: "show how the state differs between two backups",
        parameters: [
            ParameterDefinition(name: "a", kind: .text, help: "older archive", isRequired: true, position: 0),
            ParameterDefinition(name: "b", kind: .text, help: "newer archive", isRequired: true, position: 1), directory,
        ],
        scope: .offline, errorCodes: [.notFound, .integrity, .invalidData], examples: ["pgbastion backup diff @2026-02-15T02:00Z latest"])

    private static let directory = ParameterDefinition(name: "dir", kind: .text, help: "directory instead of backup.dir")

    private static func archive(required: Bool) -> ParameterDefinition {
        ParameterDefinition(
            name: "archive", kind: .text, help: "path, id, latest, latest-verified or @TIME", isRequired: required, position: 0,
            defaultText: required ? nil : "latest")
    }
}
