import ClusterModel
import Operations

/// The local command for somebody who asks for help.
extension LocalCommandDefinition {
    package static let supportBundle: LocalCommandDefinition = {
        var definition = LocalCommandDefinition(
            words: ["support-bundle"], summary: "put status, doctor, logs and redacted configuration into one archive",
            discussion: """
                For whoever helps you. Answers of the cluster, the log lines of every node, the journal of this machine, the
                configuration. Without a daemon it takes what this machine knows; `manifest.json` in the archive names what is
                missing, with the reason. Passwords and tokens are replaced by !redacted wherever they stand. PostgreSQL's data
                and log are never included. The file is new and has mode 0600.
                """,
            parameters: [
                ParameterDefinition(
                    name: "out", kind: .text, help: "file to write, or a directory for pgbastion-support-NODE-TIME.tar.gz",
                    defaultText: ".", example: "/tmp"),
                ParameterDefinition(name: "no_redact", kind: .flag, help: "leave passwords and tokens of the configuration in it"),
            ],
            examples: ["pgbastion support-bundle", "pgbastion support-bundle --out /tmp"], risk: .reads, errorCodes: [.io])
        definition.isConnected = true
        definition.outputSchema = {
            .record([
                ("type", .string("object")),
                (
                    "properties",
                    .record([("path", .record([("type", .string("string"))])), ("size_bytes", .record([("type", .string("integer"))]))])
                ),
                ("required", .array([.string("path"), .string("size_bytes")])),
            ])
        }
        return definition
    }()
}
