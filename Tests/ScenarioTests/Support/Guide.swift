import Bastion
import PostgresControl

/// The guide's procedures on a sandbox: its `curl` and `pgbastion` lines run as written, by bash.
///
/// Substituted are only addresses (`127.0.0.1:8080`, `10.0.1.N:8300`), the token's value, and the file paths of the sandbox.
struct Guide: Sendable {
    let sandbox: Sandbox

    /// Runs one line of the guide on a node.
    func run(_ command: String, on node: SandboxNode) throws -> String {
        var text = command
        text.replace("127.0.0.1:8080", with: "127.0.0.1:\(node.apiPort)")
        for other in sandbox.layout.nodes {
            text.replace("10.0.1.\(other.number):8300", with: "127.0.0.1:\(other.raftPort)")
        }
        text.replace("your-secure-token-here", with: sandbox.layout.token)
        // The guide's reader sits at a terminal and answers the question.
        if text.hasPrefix("pgbastion ") { text = "printf 'y\\n' | script -qec '\(text)' /dev/null" }
        let result = Shell.run(
            text,
            environment: [
                "AUTH_TOKEN": sandbox.layout.token, "PGBASTION_CONFIG": sandbox.layout.configuration(node),
                "PATH": "\(sandbox.layout.directory)/bin:/usr/local/bin:/usr/bin:/bin",
            ])
        try hold(result.status == 0, "`\(text)` ended with \(result.status): \(result.output) \(result.errors)")
        return result.output
    }

    /// The n-th command of a section, which must contain `text`: so a changed guide is noticed.
    func command(_ section: String, _ number: Int, containing text: String) throws -> String {
        let commands = try GuideText.commands(section)
        try hold(number < commands.count && commands[number].contains(text), "\(section): \(commands)")
        return commands[number]
    }

    var leader: SandboxNode {
        get async throws { try sandbox.node(await sandbox.rest(sandbox.primary()).raft.leader_id) }
    }

    /// A cluster of the first `count` nodes, whatever was there before.
    func formed(_ count: Int) async throws {
        for node in sandbox.layout.nodes.prefix(count) where sandbox.daemonPID(node) == nil { try sandbox.startDaemon(node) }
        let first = sandbox.layout.nodes[0]
        let primary = try await sandbox.primary()
        for node in sandbox.layout.nodes[1..<count] {
            let known = try await sandbox.rest(first).nodes.map(\.name)
            guard !known.contains(node.name) else { continue }
            let input = "{\"name\":\"\(node.name)\",\"address\":\"127.0.0.1:\(node.raftPort)\"}"
            try await sandbox.wait("\(node.name) to be added", seconds: 30) {
                try await sandbox.call("peer.add", input, through: primary).ok
            }
        }
        try await sandbox.settled(stableFor: .seconds(2))
    }
}
