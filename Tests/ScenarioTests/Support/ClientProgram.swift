import Bastion

/// The client program as an operator runs it on one node.
enum ClientProgram {
    /// - Parameter arguments: Shell words after `pgbastion`.
    static func run(
        _ arguments: String, on node: SandboxNode, of sandbox: Sandbox, environment: [String: String] = [:]
    ) -> Shell.Result {
        var variables = ["PGBASTION_CONFIG": sandbox.layout.configuration(node)]
        variables.merge(environment) { _, new in new }
        return Shell.run("'\(sandbox.program)' \(arguments) < /dev/null", environment: variables)
    }

    /// Runs a command that must end with `status`; its JSON document.
    static func json(
        _ arguments: String, on node: SandboxNode, of sandbox: Sandbox, status: Int32 = 0, environment: [String: String] = [:]
    ) throws -> String {
        let result = run(arguments + " -o json", on: node, of: sandbox, environment: environment)
        try hold(result.status == status, "`pgbastion \(arguments)` ended with \(result.status), not \(status): \(result)")
        return result.output
    }
}
