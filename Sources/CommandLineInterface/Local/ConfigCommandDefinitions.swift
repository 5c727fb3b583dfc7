import ClusterModel
import Operations

/// The local commands about configuration files.
extension LocalCommandDefinition {
    package static let configCommands: [LocalCommandDefinition] = [configInit, configValidate, configShow, configSchema]

    package static let configInit = LocalCommandDefinition(
        words: ["config", "init"], summary: "write the configuration file of a new node",
        discussion: """
            Writes the file with mode 0640, and beside it a token file with mode 0600 unless there is one. PostgreSQL's
            programs and data are looked for where Debian has them. With --join the cluster-wide part is taken from a running
            member: HOST[:PORT] is its Raft port, a URL its API. Refuses an existing file; --force prints the difference first
            and keeps the old file as FILE.old.
            """,
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "name of this node", isRequired: true, example: "node1"),
            ParameterDefinition(
                name: "address", kind: .text, help: "address at which the other nodes reach it", isRequired: true, example: "10.0.1.1"),
            ParameterDefinition(name: "bootstrap", kind: .flag, help: "this node founds the cluster"),
            ParameterDefinition(name: "join", kind: .text, help: "a running member of the cluster to join", example: "10.0.1.1"),
            ParameterDefinition(name: "out", kind: .text, help: "file to write instead of --config", example: "node1.yaml"),
            ParameterDefinition(name: "force", kind: .flag, help: "replace an existing file"),
            ParameterDefinition(
                name: "set", kind: .textList, help: "another key, KEY=VALUE; an empty value leaves the key out",
                example: "raft.bind_port=8301"),
        ],
        examples: [
            "pgbastion config init --node node1 --address 10.0.1.1 --bootstrap",
            "pgbastion config init --node node2 --address 10.0.1.2 --join 10.0.1.1",
        ],
        errorCodes: [.preconditionFailed, .invalidConfiguration, .unavailable, .io])

    package static let configValidate = LocalCommandDefinition(
        words: ["config", "validate"], summary: "check a configuration file",
        discussion: "Prints all errors with line and column, then warnings. Ends with 78 when there are errors.",
        parameters: [
            ParameterDefinition(name: "file", kind: .text, help: "file to check instead of --config", position: 0)
        ],
        examples: ["pgbastion config validate", "pgbastion config validate new.yaml"], errorCodes: [.invalidConfiguration])

    package static let configShow = LocalCommandDefinition(
        words: ["config", "show"], summary: "print the configuration file, secrets redacted",
        parameters: [
            ParameterDefinition(name: "effective", kind: .flag, help: "also every key that has its default"),
            ParameterDefinition(name: "origins", kind: .flag, help: "where each value comes from: file and line, another key, default"),
        ],
        examples: ["pgbastion config show", "pgbastion config show --effective --origins"], errorCodes: [.invalidConfiguration])

    package static let configSchema = LocalCommandDefinition(
        words: ["config", "schema"], summary: "print the JSON Schema of the configuration file",
        discussion: "Draft 2020-12, for editors. Relations between keys are checked by `config validate` only.",
        examples: ["pgbastion config schema > pgbastion.schema.json"])
}
