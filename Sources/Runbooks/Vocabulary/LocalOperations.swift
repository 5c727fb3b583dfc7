import ClusterModel
import Operations

/// Operations of this machine that runbooks use and no daemon serves, beside those on archives.
enum LocalOperations {
    static let all: [OperationEntry] = [
        entry(
            "config.init", "write the configuration file of a new node", .reversible,
            [
                node("node", required: true), text("address", required: true), flag("bootstrap"), text("join"), text("out"), flag("force"),
                list("set"),
            ], outputs: ["path", "token_file"]),
        entry(
            "node.reset", "move this node's consensus data aside", .destructive, [duration("purge_older")],
            outputs: ["moved_to", "purged"]),
        entry(
            "raft.recover", "make a survivor the only voter after the quorum is lost", .reads,
            [
                flag("plan"), list("with"), flag("apply", raises: .destructive), flag("undo", raises: .destructive),
            ],
            outputs: [
                "quorum_lost", "nodes", "apply_on", "newest_data", "drop_voters", "commands", "cluster_id", "epoch", "voters", "moved_to",
            ]),
        entry(
            "restore.bootstrap", "make a new cluster of one voter from an archive", .destructive,
            [text("archive", position: 0), text("dir"), flag("force"), list("voters"), text("node"), flag("allow_older")],
            outputs: ["archive", "cluster_id", "epoch", "node", "moved_to", "voters", "paused"]),
        entry(
            "restore.undo", "put the consensus data from before a restore back", .destructive, [],
            outputs: ["moved_to", "restored_from"]),
        entry(
            "standby.promote", "end following another cluster and make this one writable", .destructive, [], scope: .leader,
            outputs: ["from_timeline", "new_timeline", "lsn"]),
    ]

    /// Parameters that runbooks use and a catalogue without them would lack.
    static func completed(_ definition: OperationDefinition) -> OperationDefinition {
        guard definition.name == "resume", !definition.parameters.contains(where: { $0.name == "accept_primary" }) else {
            return definition
        }
        var complete = definition
        complete.parameters.append(
            ParameterDefinition(name: "accept_primary", kind: .nodeName, help: "its PostgreSQL is the primary from now on"))
        return complete
    }

    static func entry(
        _ name: String, _ summary: String, _ risk: OperationDefinition.Risk, _ parameters: [ParameterDefinition],
        scope: OperationDefinition.Scope = .offline, outputs: [String]
    ) -> OperationEntry {
        let definition = OperationDefinition(name: name, summary: summary, parameters: parameters, risk: risk, scope: scope)
        // A property without a type holds anything.
        let properties = JSONValue.record(outputs.map { ($0, .object([])) })
        return OperationEntry(definition, outputs: { .record([("type", .string("object")), ("properties", properties)]) })
    }

    static func node(_ name: String, required: Bool = false) -> ParameterDefinition {
        ParameterDefinition(name: name, kind: .nodeName, help: "name of a node", isRequired: required)
    }
    static func text(_ name: String, required: Bool = false, position: Int? = nil) -> ParameterDefinition {
        ParameterDefinition(name: name, kind: .text, help: name, isRequired: required, position: position)
    }
    static func flag(_ name: String, raises: OperationDefinition.Risk? = nil) -> ParameterDefinition {
        ParameterDefinition(name: name, kind: .flag, help: name, raisesRiskTo: raises)
    }
    static func list(_ name: String) -> ParameterDefinition { ParameterDefinition(name: name, kind: .textList, help: name) }
    static func duration(_ name: String) -> ParameterDefinition { ParameterDefinition(name: name, kind: .duration, help: name) }
}

/// What stands for a person, or breaks something, in a throw-away cluster (runbooks.md, section 12).
package enum SandboxOperations {
    static let all: [OperationEntry] = [
        one("stop", "stop the daemon"), one("start", "start the daemon"), one("kill", "kill the daemon with SIGKILL"),
        one("crash", "kill daemon, guard and PostgreSQL"), one("freeze", "stop the daemon without ending it"),
        one("thaw", "go on after freeze"),
        one("restart", "restart the daemon", [LocalOperations.text("report_version")]), one("wipe", "remove the consensus data"),
        one("wipe-postgres", "remove the PostgreSQL data"), one("stop-postgres", "stop PostgreSQL"), one("add", "a fourth, empty node"),
        entry("load", "a writer that counts acknowledged commits", [LocalOperations.text("on")]),
    ]

    private static func one(_ name: String, _ summary: String, _ more: [ParameterDefinition] = []) -> OperationEntry {
        entry(name, summary, [LocalOperations.node("node", required: true)] + more)
    }

    private static func entry(_ name: String, _ summary: String, _ parameters: [ParameterDefinition]) -> OperationEntry {
        var entry = LocalOperations.entry("sandbox.\(name)", summary, .disruptive, parameters, outputs: [])
        entry.isSandboxOnly = true
        return entry
    }
}
