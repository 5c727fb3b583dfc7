import Bastion

/// An operator's machine: the configuration of one cluster, and a context `green` for another one.
struct OperatorBench {
    private let cluster: Sandbox
    private let node: SandboxNode
    private let folder: String

    init(_ cluster: Sandbox, _ node: SandboxNode, other: Sandbox) throws {
        self.cluster = cluster
        self.node = node
        folder = cluster.layout.directory + "/operator"
        let addresses = other.layout.nodes.map { "--addr http://127.0.0.1:\($0.apiPort)" }.joined(separator: " ")
        let made = Shell.run(
            """
            mkdir -p '\(folder)' && umask 077 && printf '%s' "$TOKEN" > '\(folder)/token' \
            && '\(cluster.program)' context add green \(addresses) --token-file '\(folder)/token' < /dev/null
            """, environment: environment.merging(["TOKEN": other.layout.token]) { $1 })
        try hold(made.status == 0, "\(made)")
    }

    private var environment: [String: String] { ["XDG_CONFIG_HOME": folder + "/config", "XDG_STATE_HOME": folder + "/state"] }

    /// Runs `pgbastion runbook` with `arguments`, shell words.
    ///
    /// - Returns: With the run's id, when there is one.
    func run(_ arguments: String) -> (result: Shell.Result, runID: String?) {
        let result = ClientProgram.run(
            "runbook \(arguments) --dir '\(PackageTree.root)/runbooks'", on: node, of: cluster, environment: environment)
        let told = result.errors.split(separator: "\n").first { $0.hasPrefix("run ") }
        return (result, told.flatMap { $0.dropFirst(4).split(separator: ";").first.map(String.init) })
    }
}
