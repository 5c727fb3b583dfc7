import ClusterModel
import Operations

/// The local commands that replace the Raft directory of a stopped daemon (backup-restore.md, 7 to 10).
extension LocalCommandDefinition {
    package static let recoveryCommands = [restore, raftRecover, nodeReset]

    /// `restore --bootstrap` is `restore.bootstrap`: the option is a word of the name.
    private func with(modes: [String]) -> LocalCommandDefinition {
        var definition = self
        definition.modes = modes
        return definition
    }

    package static let restore = LocalCommandDefinition(
        words: ["restore"], summary: "bring back the cluster state from a backup",
        discussion: """
            ARCHIVE is an id, a path, `latest`, `latest-verified` (the newest that passes verification now), @TIME (the newest
            one from that time or before), or - for standard input. --bootstrap makes a new cluster of this node alone with
            the saved state: new cluster id, next epoch, paused, nothing pending is ever executed. It needs no
            `raft.bootstrap: true`, touches neither PostgreSQL nor the configuration file, and keeps the old directory beside
            the new one until you remove it. --undo puts it back, until the first start.
            """,
        parameters: [
            ParameterDefinition(
                name: "archive", kind: .text, help: "backup: id, path, latest, latest-verified, @TIME or -", position: 0, example: "latest"),
            ParameterDefinition(
                name: "bootstrap", kind: .flag, help: "found a new cluster of this node with the saved state; the daemon is stopped",
                raisesRiskTo: .destructive),
            ParameterDefinition(name: "to", kind: .text, help: "only unpack, into a new or empty directory", example: "/tmp/look"),
            ParameterDefinition(
                name: "section", kind: .choice, help: "only this part, through changes of the running cluster", choices: ["pgconfig"],
                raisesRiskTo: .disruptive),
            ParameterDefinition(
                name: "undo", kind: .flag, help: "put the directory from before the last restore back", raisesRiskTo: .destructive),
            ParameterDefinition(name: "as_new_node", kind: .flag, help: "this node need not be a member in the archive"),
            ParameterDefinition(name: "assume_dead", kind: .flag, help: "members that answer do not stop it"),
            ParameterDefinition(name: "override", kind: .textList, help: "let this check not refuse", example: "unsealed"),
        ],
        examples: [
            "pgbastion restore latest --bootstrap --dry-run", "pgbastion restore latest --bootstrap",
            "pgbastion restore @2026-02-15T02:00:00Z --bootstrap --confirm prod", "pgbastion restore latest --to /tmp/look",
            "pgbastion restore --undo",
        ],
        risk: .reads,
        checks: [
            "node_running", "cluster_name_mismatch", "node_unknown", "cluster_alive", "member_running", "already_started", "unsealed*",
        ],
        errorCodes: [
            .preconditionFailed, .nodeRunning, .notConfirmed, .locked, .integrity, .notFound, .invalidData, .io, .invalidConfiguration,
        ]
    ).with(modes: ["bootstrap", "to", "section", "undo"])

    package static let raftRecover = LocalCommandDefinition(
        words: ["raft", "recover"], summary: "go on with one survivor after the majority was lost",
        discussion: """
            Without an option it only looks: what this stopped node knows, whether the other voters answer, which survivor has
            the most of the cluster's state and which the newest PostgreSQL data. Run it on each survivor with -o json and
            give the files with --with. --apply makes a new cluster of this node alone with everything it has: new cluster id,
            next epoch, paused; the old directory is kept beside it. --undo puts it back, until the first start.
            """,
        parameters: [
            ParameterDefinition(name: "plan", kind: .flag, help: "only look (the default)"),
            ParameterDefinition(
                name: "apply", kind: .flag, help: "found a new cluster of this node with its state; the daemon is stopped",
                raisesRiskTo: .destructive),
            ParameterDefinition(name: "undo", kind: .flag, help: "put the directory from before back", raisesRiskTo: .destructive),
            ParameterDefinition(
                name: "with", kind: .textList, help: "what this command printed on another survivor with -o json; may be repeated",
                example: "node2.json"),
            ParameterDefinition(name: "override", kind: .textList, help: "let this check not refuse", example: "not_most_advanced"),
        ],
        examples: [
            "pgbastion raft recover", "pgbastion raft recover -o json > node2.json", "pgbastion raft recover --with node2.json",
            "pgbastion raft recover --apply --with node2.json", "pgbastion raft recover --undo",
        ],
        risk: .reads,
        checks: [
            "node_running", "quorum_exists", "member_running", "cluster_mismatch", "not_most_advanced*", "empty_state", "already_started",
        ],
        errorCodes: [
            .preconditionFailed, .nodeRunning, .notConfirmed, .locked, .corrupt, .notFound, .invalidData, .io, .invalidConfiguration,
        ]
    ).with(modes: ["apply", "undo"])

    package static let nodeReset = LocalCommandDefinition(
        words: ["node", "reset"], summary: "empty the Raft directory of this node, keeping the old one beside it",
        discussion: """
            The daemon is stopped. PostgreSQL's data is not touched. Afterwards the node belongs to no cluster; start it and add
            it with `pgbastion peer add` or `pgbastion node rejoin` on a member.
            """,
        parameters: [
            ParameterDefinition(
                name: "purge_older", kind: .duration, help: "also remove what earlier resets and undone restores kept, if older than this",
                example: "30d"),
            ParameterDefinition(name: "override", kind: .textList, help: "let this check not refuse", example: "only_voter"),
        ],
        examples: ["pgbastion node reset", "pgbastion node reset --confirm node2", "pgbastion node reset --purge-older 30d"],
        risk: .destructive, checks: ["node_running", "still_voter", "only_voter*"],
        errorCodes: [.preconditionFailed, .nodeRunning, .onlyVoter, .notConfirmed, .locked, .io, .invalidConfiguration])
}
