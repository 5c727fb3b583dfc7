import Bastion
import FoundationEssentials
import Glibc
import PostgresControl
import Testing

extension ScenarioTests {
    /// One cluster follows another one's primary, and becomes writable by an operator's order only (P32).
    @Suite(.serialized) struct StandbyClusterScenarios {
        @Test func `a cluster follows another one, and after its cutover no acknowledged row is missing`() async throws {
            try await withClusters("cutover", nodes: 2, slot: "green") { old, new in
                let (first, second) = (new.layout.nodes[0], new.layout.nodes[1])
                try await formed(new)
                try await looks(old, new)

                let source = try await old.primary()
                let probe = CommitProbe(connection: old.clientConnection(old.layout.nodes))
                probe.start()
                defer { probe.stop() }
                try await new.wait("rows", seconds: 30) { probe.commitsSoFar > 100 }
                try await staysBehind(old, new, probe)

                for cluster in [old, new] {
                    try await expect(cluster.call("pause", #"{"reason":"cutover"}"#, through: cluster.layout.nodes[0]))
                }
                try await expect(old.call("node.fence", #"{"node":"\#(source.name)"}"#, through: source, wait: .seconds(30)))
                try await new.wait("the last record of the old cluster", seconds: 30) { try await lag(new, first) == 0 }
                probe.stop()
                let promoted = try await new.call("standby.promote", through: second, wait: .seconds(60))
                try hold(
                    promoted.ok && promoted.text.contains(#""from_timeline":2"#) && promoted.text.contains(#""new_timeline":3"#),
                    promoted.text)
                try await expect(new.call("resume", through: first))
                try await new.settled(seconds: 90)

                let primary = try await new.primary()
                _ = try SimpleQuery.column("INSERT INTO \(CommitProbe.table) VALUES (-1)", on: new.clientConnection(first))
                try lossless(probe, new, primary, "cutover")
                let other = primary == first ? second : first
                try await new.wait("the row on \(other.name)", seconds: 30) {
                    try SimpleQuery.column("SELECT count(*) FROM \(CommitProbe.table) WHERE id = -1", on: new.adminConnection(other)) == [
                        "1"
                    ]
                }
                // The old cluster is kept as it was fenced, and nothing of it is writable.
                try await staysFenced(source, old)
                let again = try await new.call("standby.promote", through: first)
                try hold(again.ok && again.text.contains(#""already_so":true"#), again.text)
                // From here on it is a cluster like any other.
                try await expect(new.call("switchover", #"{"to":"\#(other.name)"}"#, through: first, wait: .seconds(60)))
                try await new.settled(seconds: 90)
            }
        }

        @Test func `the runbook of the cutover moves the writes to the chosen node of the other cluster (row 23)`() async throws {
            try await withClusters("runbook", nodes: 2, slot: "green") { old, new in
                let (first, second) = (new.layout.nodes[0], new.layout.nodes[1])
                try await formed(new)
                let source = try await old.primary()
                let probe = CommitProbe(connection: old.clientConnection(old.layout.nodes))
                probe.start()
                defer { probe.stop() }
                try await new.wait("rows", seconds: 30) { probe.commitsSoFar > 100 }

                let bench = try OperatorBench(old, source, other: new)
                let asked = bench.run("run blue-green-cutover -p new_context=green -p target=\(second.name) --yes").result
                try hold(asked.status == 64 || asked.status == 3, "without the typed names: \(asked)")
                try hold(try await new.rest(first).primary == nil, "somebody is the primary")

                let begun = bench.run(
                    "run blue-green-cutover -p new_context=green -p target=\(second.name) --yes --confirm sandbox --confirm green")
                let run = try #require(begun.runID, "\(begun.result)")
                try hold(begun.result.status != 0 && begun.result.errors.contains("resume \(run)"), "\(begun.result)")
                // The clients are moved by a person, who says so.
                probe.stop()
                let ended = bench.run("resume \(run) --ack redirect").result
                try hold(ended.status == 0, "\(ended)")

                try await new.settled(seconds: 90)
                try hold(try await new.primary() == second, "the chosen node is not the primary")
                _ = try SimpleQuery.column("INSERT INTO \(CommitProbe.table) VALUES (-1)", on: new.clientConnection(first))
                try lossless(probe, new, second, "runbook")
                try await staysFenced(source, old)
                let known = try await old.call("run.list", through: source).text
                try hold(known.contains(run) && known.contains("succeeded"), known)
            }
        }

        @Test func `a cluster is promoted when the one that it followed is dead`() async throws {
            try await withClusters("disaster", nodes: 1, slot: nil) { old, new in
                let node = new.layout.nodes[0]
                try await follows(new, node)
                _ = try SimpleQuery.column("INSERT INTO \(CommitProbe.table) VALUES (7)", on: old.adminConnection(old.layout.nodes[0]))
                try await new.wait("the row", seconds: 30) {
                    try SimpleQuery.column("SELECT id FROM \(CommitProbe.table)", on: new.adminConnection(node)) == ["7"]
                }
                old.signal(SIGKILL, .daemon, old.layout.nodes[0])
                old.signal(SIGKILL, .guardProcess, old.layout.nodes[0])
                old.signal(SIGKILL, .postmaster, old.layout.nodes[0])
                try await new.wait("the end of the stream", seconds: 30) {
                    try await new.call("status", through: node).text.contains("no node streams from")
                }
                try hold(
                    Shell.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:\(node.apiPort)/health").output == "503", "health")
                try await expect(new.call("standby.promote", through: node, wait: .seconds(60)))
                try await new.wait("a primary", seconds: 60) { try await new.rest(node).primary?.phase == "serving" }
                _ = try SimpleQuery.column("INSERT INTO \(CommitProbe.table) VALUES (8)", on: new.clientConnection(node))
                try hold(
                    try SimpleQuery.column("SELECT count(*) FROM \(CommitProbe.table)", on: new.adminConnection(node)) == ["2"], "rows")
            }
        }

        // MARK: Steps

        /// Both nodes of the new cluster are members and follow the old one.
        private func formed(_ new: Sandbox) async throws {
            let (first, second) = (new.layout.nodes[0], new.layout.nodes[1])
            try await follows(new, first)
            try await join(new, second, through: first)
            try await follows(new, second)
        }

        private func lossless(_ probe: CommitProbe, _ cluster: Sandbox, _ primary: SandboxNode, _ label: String) throws {
            let missing = try probe.missing(on: cluster.adminConnection(primary))
            try hold(missing.isEmpty, "\(missing.count) acknowledged rows are lost: \(missing.prefix(20))")
            Report.line("\(label): \(probe.acknowledged.count) acknowledged rows, none lost")
        }

        private func staysFenced(_ node: SandboxNode, _ cluster: Sandbox) async throws {
            let kept = try await cluster.rest(node).nodes.first { $0.name == node.name }
            try hold(kept?.standing == "fenced", "the old primary is not fenced: \(kept.map { "\($0)" } ?? "gone")")
        }

        /// What every surface says while it follows, and what it refuses.
        private func looks(_ old: Sandbox, _ new: Sandbox) async throws {
            let node = new.layout.nodes[1]
            let health = Shell.run("curl -s -w '%{http_code}' http://127.0.0.1:\(node.apiPort)/health").output
            try hold(health.hasSuffix("200") && health.contains(#""status":"ok""#), health)
            let replication = Shell.run("curl -s http://127.0.0.1:\(node.apiPort)/cluster/replication").output
            try hold(replication.contains(#""primary":null"#) && replication.contains(#""streaming":true"#), replication)
            let state = try await new.call("state.export", through: node).text
            try hold(state.contains(#""standby":{"active":true"#), state)
            let source = try await old.primary()
            let slots = try SimpleQuery.column(
                "SELECT slot_name FROM pg_replication_slots WHERE active AND slot_name = 'green'", on: old.adminConnection(source))
            try hold(slots == ["green"], "the slot on the old cluster is not in use")
            let read = try SimpleQuery.column("SELECT pg_is_in_recovery()", on: new.clientConnection(node, replica: true))
            try hold(read == ["t"], "the replica port")
            try hold(refusal(new, node).contains("follows another one"), "the primary port: \(refusal(new, node))")
            for operation in ["failover", "switchover"] {
                let refused = try await new.call(operation, through: node)
                try hold(!refused.ok && refused.text.contains("standby promote"), refused.text)
            }
            let wrong = try await old.call("standby.promote", through: old.layout.nodes[0])
            try hold(!wrong.ok && wrong.text.contains("standby.ready"), wrong.text)
        }

        /// A daemon that is killed costs nothing, and nobody is promoted.
        private func staysBehind(_ old: Sandbox, _ new: Sandbox, _ probe: CommitProbe) async throws {
            let (first, second) = (new.layout.nodes[0], new.layout.nodes[1])
            let servers = new.layout.nodes.map { new.postmasterPID($0) }
            new.signal(SIGKILL, .daemon, first)
            try await new.wait("the end of the daemon", seconds: 10) { new.daemonPID(first) == nil }
            try await new.lasts(.seconds(2))
            try new.startDaemon(first)
            try await follows(new, first)
            try await follows(new, second)
            try hold(new.layout.nodes.map { new.postmasterPID($0) } == servers, "a server was restarted")
            try hold(try await new.rest(first).primary == nil, "somebody is the primary")
            let rows = probe.commitsSoFar
            try await new.wait("more rows on both nodes", seconds: 30) {
                try new.layout.nodes.allSatisfy { node in
                    let count = try SimpleQuery.column("SELECT count(*) FROM \(CommitProbe.table)", on: new.adminConnection(node)).first
                    return (count.flatMap { Int($0) } ?? 0) > rows
                }
            }
        }

        private func follows(_ cluster: Sandbox, _ node: SandboxNode) async throws {
            try await cluster.wait("\(node.name) to follow", seconds: 90) {
                let state = try await cluster.rest(node)
                let own = state.nodes.first { $0.name == node.name }
                return own?.state == "streaming" && own?.standing == "ready" && state.primary == nil && state.raft.leader_id != ""
            }
        }

        private func join(_ cluster: Sandbox, _ node: SandboxNode, through first: SandboxNode) async throws {
            try cluster.startDaemon(node)
            try await cluster.wait("\(node.name) to be added", seconds: 60) {
                try await cluster.call("peer.add", #"{"name":"\#(node.name)","address":"127.0.0.1:\#(node.raftPort)"}"#, through: first).ok
            }
        }

        private func lag(_ cluster: Sandbox, _ node: SandboxNode) async throws -> Int? {
            struct Envelope: Decodable {
                struct Status: Decodable {
                    struct Standby: Decodable { var lag_bytes: Int? }
                    var standby: Standby
                }
                var data: Status
            }
            let text = try await cluster.call("status", through: node).text
            return try JSONDecoder().decode(Envelope.self, from: Data(text.utf8)).data.standby.lag_bytes
        }

        private func refusal(_ cluster: Sandbox, _ node: SandboxNode) -> String {
            do { return try SimpleQuery.column("SELECT 1", on: cluster.clientConnection(node)).joined() } catch { return "\(error)" }
        }

        private func expect(_ answer: Sandbox.Answer) throws { try hold(answer.ok, answer.text) }

        /// Two clusters; the second one has never run and follows the first one's node1.
        private func withClusters(
            _ label: String, nodes: Int, slot: String?, _ body: (Sandbox, Sandbox) async throws -> Void
        ) async throws {
            let directory = "/tmp/pgbastion-test-\(getpid())-\(label)"
            let old = try SandboxEntry.make(
                directory: directory + "-old", nodes: nodes, binary: ProgramUnderTest.copy, log: { Report.line($0) })
            var made = [old]
            do {
                try await old.start()
                try await old.prepareClients()
                let upstream = try await old.primary()
                var section = "standby_cluster:\n  host: 127.0.0.1\n  port: \(upstream.postgresPort)\n"
                if let slot { section += "  slot: \(slot)\n" }
                let new = try SandboxEntry.make(
                    directory: directory + "-new", nodes: nodes, binary: ProgramUnderTest.copy, extraConfiguration: section,
                    log: { Report.line($0) })
                made.append(new)
                // The operator's part: the passwords of the old cluster.
                let place = new.layout.stateDirectory(new.layout.nodes[0]) + "/postgresql"
                let copied = Shell.run(
                    "mkdir -p '\(place)' && cp '\(old.layout.stateDirectory(upstream))/postgresql/secrets.json' '\(place)/'")
                try hold(copied.status == 0, copied.errors)
                try new.startDaemon(new.layout.nodes[0])
                try await body(old, new)
            } catch {
                Report.line("FAILED \(label): \(error)")
                for cluster in made { showLogs(cluster) }
                for cluster in made { await cluster.stop() }
                throw error
            }
            for cluster in made {
                await cluster.stop()
                cluster.remove()
            }
        }

        private func showLogs(_ cluster: Sandbox) {
            for node in cluster.layout.nodes {
                Report.line("---- end of the log of \(cluster.layout.root(node))")
                for row in Shell.run("tail -n 40 '\(cluster.layout.log(node))'").output.split(separator: "\n") { Report.line("  " + row) }
            }
        }
    }
}
