import ClusterModel
import Operations

/// Clusters by name (`cli.md` section 1).
extension LocalCommandDefinition {
    package static let contextCommands = [contextList, contextUse, contextAdd, contextRemove]

    package static let contextList = LocalCommandDefinition(
        words: ["context", "list"], summary: "list the clusters that have names on this machine",
        examples: ["pgbastion context list"])

    package static let contextUse = LocalCommandDefinition(
        words: ["context", "use"], summary: "send commands to this cluster from now on",
        discussion:
            "Without a name, commands go to the daemon of this machine again. --context and --addr have precedence.",
        parameters: [
            ParameterDefinition(name: "name", kind: .text, help: "context; none: this machine", position: 0)
        ],
        examples: ["pgbastion context use prod", "pgbastion context use"], errorCodes: [.notFound])

    package static let contextAdd = LocalCommandDefinition(
        words: ["context", "add"], summary: "give a cluster a name",
        discussion:
            "Kept in $XDG_CONFIG_HOME/pgbastion/contexts.yaml. In a protected context every command that interrupts or\n"
            + "destroys something asks for the typed name of the cluster.",
        parameters: [
            ParameterDefinition(name: "name", kind: .text, help: "name", isRequired: true, position: 0),
            ParameterDefinition(
                name: "addr", kind: .textList, help: "address of a member; may be repeated, tried in this order",
                isRequired: true),
            ParameterDefinition(name: "ca", kind: .text, help: "file with the certificate authority of the API"),
            ParameterDefinition(name: "token_file", kind: .text, help: "file with the API token"),
            ParameterDefinition(
                name: "default_output", kind: .choice, help: "output format without -o",
                choices: OutputFormat.allCases.map(\.rawValue)),
            ParameterDefinition(name: "protected", kind: .flag, help: "ask for the typed name of the cluster"),
        ],
        examples: [
            "pgbastion context add prod --addr https://10.0.1.1:8080 --addr https://10.0.1.2:8080 "
                + "--ca /etc/pgbastion/ca.pem --token-file /etc/pgbastion/api-token --protected"
        ],
        errorCodes: [.preconditionFailed])

    package static let contextRemove = LocalCommandDefinition(
        words: ["context", "remove"], summary: "forget the name of a cluster",
        parameters: [ParameterDefinition(name: "name", kind: .text, help: "context", isRequired: true, position: 0)],
        examples: ["pgbastion context remove prod"], errorCodes: [.notFound])
}
