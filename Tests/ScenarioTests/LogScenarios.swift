import Bastion
import ClusterModel
import FoundationEssentials
import Glibc
import PostgresControl
import Testing

extension ScenarioTests.Monitoring {
    /// Section 5: the phrases the guide greps for, on the nodes that wrote them. `journalctl -u pgbastion` is a log file here.
    @Suite(.serialized) struct Logs {
        @Test func `after a failover, a failed check, a new leader and a wrong token all greps hit (L01, L02, L03, L04)`() async throws {
            try await monitored("log patterns") { sandbox in
                let primary = try await sandbox.primary()
                let others = sandbox.layout.nodes.filter { $0 != primary }
                try invalidToken(others[0])
                sandbox.killNode(primary)
                try await sandbox.wait("another primary", seconds: 60) {
                    try await sandbox.rest(others[0]).primary.map { $0.phase == "serving" && $0.name != primary.name } ?? false
                }
                let next = try await sandbox.primary()
                let replica = try #require(others.first { $0 != next })
                try await sandbox.wait("a failed check", seconds: 30) {
                    if let pid = sandbox.postmasterPID(replica) { kill(pid, SIGQUIT) }
                    return grep("health check failed", replica, sandbox).contains("cause=")
                }
                try await sandbox.settled(restarting: true, seconds: 120)
                let answer = try await sandbox.call("raft.transfer", through: next, wait: .seconds(10))
                try hold(answer.ok, answer.text)

                // L01: on the leader the reason and who was not chosen; on the promoted node that it was.
                let chosen = others.map { grep("failover\\|promote\\|demote", $0, sandbox) }.joined()
                try hold(chosen.contains("event=failover.target_selected"), chosen)
                try hold(chosen.contains("not_chosen="), chosen)
                try hold(grep("promote", next, sandbox).contains("event=agent.promote"), "no promote on \(next.name)")
                // L03: with the term.
                let changes = sandbox.layout.nodes.map { grep("became leader\\|lost leader", $0, sandbox) }.joined()
                try hold(changes.contains("became leader event=raft.became_leader") && changes.contains(" term="), changes)
                try await sandbox.wait("`lost leader`", seconds: 20) {
                    sandbox.layout.nodes.contains { !grep("lost leader", $0, sandbox).isEmpty }
                }
                // L04: with the remote address, never the token.
                let refused = grep("invalid auth token", others[0], sandbox)
                try hold(refused.contains("remote=127.0.0.1"), refused)
                try hold(!refused.contains("wrong-secret"), "the token is in the log")
            }
        }

        @Test func `a request id hits on the receiving node, the leader and every node that acted (L05, P27)`() async throws {
            try await monitored("request id") { sandbox in
                let primary = try await sandbox.primary()
                let leader = try await sandbox.rest(primary).raft.leader_id
                let receiver = try #require(sandbox.layout.nodes.first { $0.name != leader } ?? sandbox.layout.nodes.first)
                let target = try #require(sandbox.layout.nodes.first { $0 != primary })
                let script = """
                    curl -sf -X POST http://127.0.0.1:\(receiver.apiPort)/cluster/switchover -H 'Authorization: Bearer \(sandbox.layout.token)' \
                    -H 'X-Request-ID: abc123' -d '{"to": "\(target.name)"}'
                    """
                let sent = Shell.run(script)
                try hold(sent.status == 0, sent.output + sent.errors)
                try await sandbox.wait("\(target.name) to be the primary", seconds: 60) {
                    let now = try await sandbox.rest(target)
                    return now.primary?.name == target.name && now.operation == nil
                }
                for node in sandbox.layout.nodes {
                    let lines = grep("request_id=abc123", node, sandbox)
                    try hold(!lines.isEmpty, "nothing on \(node.name)")
                    if node == receiver { try hold(lines.contains("event=api.change"), lines) }
                    if node.name == leader { try hold(lines.contains("event=failover.target_selected"), lines) }
                    if node == target { try hold(lines.contains("event=agent.promote"), lines) }
                    if node == primary { try hold(lines.contains("event=agent.demote"), lines) }
                }
                try shownByCommand(sandbox, asked: target)
                try await sandbox.settled()
            }
        }

        /// The same lines through `pgbastion logs`, asked of one node for all.
        private func shownByCommand(_ sandbox: Sandbox, asked node: SandboxNode) throws {
            let shown = ClientProgram.run("logs --request-id abc123 --all -o json", on: node, of: sandbox)
            try hold(shown.status == 0, shown.output + shown.errors)
            let nodes = try Shell.jq("[.data.records[].node] | unique | join(\",\")", shown.output)
            try hold(nodes == "node1,node2,node3", nodes)
            for topic in ["failover", "raft"] {
                let found = ClientProgram.run("logs --event \(topic) --all", on: node, of: sandbox)
                try hold(found.status == 0 && found.output.contains("event="), "\(topic): \(found.output)\(found.errors)")
            }
            let other = ClientProgram.run("logs --node node1 -n 5", on: node, of: sandbox)
            try hold(other.status == 0 && other.output.split(separator: "\n").count == 6, other.output + other.errors)
        }

        private func invalidToken(_ node: SandboxNode) throws {
            let result = Shell.run(
                "curl -s -o /dev/null -w '%{http_code}' -X POST http://127.0.0.1:\(node.apiPort)/cluster/pause -H 'Authorization: Bearer wrong-secret'"
            )
            try hold(result.output == "403", result.output)
        }

        private func grep(_ pattern: String, _ node: SandboxNode, _ sandbox: Sandbox) -> String {
            Shell.run("grep -i '\(pattern)' '\(sandbox.layout.log(node))'").output
        }
    }
}
