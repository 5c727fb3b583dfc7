import Bastion
import Glibc
import PostgresControl
import Testing

extension ScenarioTests.ThreeNodes {
    /// What operators read, and settings of PostgreSQL, each by the real program.
    @Suite(.serialized) struct Views {
        /// Runs `body` on a cluster at rest.
        private func play(_ name: String, _ body: (Sandbox, SandboxNode) async throws -> Void) async throws {
            let cluster = try SuiteCluster.required()
            let sandbox = try await cluster.sandbox()
            do {
                try await sandbox.settled(stableFor: .seconds(2))
                try await body(sandbox, try await sandbox.primary())
            } catch {
                await cluster.noteFailure(name, error)
                throw error
            }
        }

        private func text(_ arguments: String, _ node: SandboxNode, _ sandbox: Sandbox, status: Int32 = 0) throws -> String {
            let result = ClientProgram.run(arguments, on: node, of: sandbox)
            try hold(result.status == status, "`pgbastion \(arguments)` ended with \(result.status), not \(status): \(result)")
            return result.output
        }

        @Test func `topology, connections, slots, versions and digests of a whole cluster, from any node (GD12)`() async throws {
            try await play("views") { sandbox, primary in
                let replicas = sandbox.members.filter { $0 != primary }
                for node in sandbox.members {
                    let tree = try text("topology", node, sandbox)
                    try hold(tree.contains("├─ \(replicas[0].name)") && tree.contains("└─ \(replicas[1].name)"), tree)
                    let digest = try ClientProgram.json("raft digest", on: node, of: sandbox)
                    try hold(try Shell.jq(".data.agreement", digest) == "agree", digest)
                    try hold(try Shell.jq(".data.nodes | length", digest) == "3", digest)
                }
                try hold(try text("topology -o name", primary, sandbox).split(separator: "\n").count == 3, "names of nodes")
                let client = Shell.run(
                    "psql -X -c 'SELECT pg_sleep(8)' '\(sandbox.clientConnection(replicas[0]))' > /dev/null & echo $!")
                try await sandbox.wait("the session to be counted", seconds: 8) {
                    let found = try ClientProgram.json("connections", on: replicas[1], of: sandbox)
                    return try Shell.jq(".data.by_backend[] | select(.port_type == \"primary\").backend", found) == primary.name
                }
                _ = client
                let slots = try ClientProgram.json("replication slots", on: primary, of: sandbox)
                try hold(try Shell.jq("[.data.slots[] | select(.managed)] | length", slots) == "6", slots)
                let versions = try text("version --cluster", replicas[0], sandbox)
                try hold(versions.hasPrefix("NODE") && versions.contains("COMMIT") && versions.contains("15."), versions)
                let snapshot = try ClientProgram.json("raft snapshot", on: replicas[0], of: sandbox)
                try hold(try Shell.jq(".data.nodes | length", snapshot) == "3", snapshot)
                let log = try ClientProgram.json("raft log --tail 5", on: replicas[0], of: sandbox)
                try hold(try Shell.jq(".data.entries | length >= 1", log) == "true", log)
                let lag = try text("lag -o wide", replicas[1], sandbox)
                try hold(lag.hasPrefix("primary \(primary.name) · timeline") && lag.contains("WAL_STATUS"), lag)
                let shown = try text("node show \(replicas[0].name)", primary, sandbox)
                try hold(shown.contains("promotable") && shown.contains("streaming"), shown)
            }
        }

        @Test func `a node that does not answer is a row of version --cluster, exit 2`() async throws {
            try await Scene.play("views with a dead node", touching: .replica) { scene in
                scene.sandbox.killNode(scene.replica)
                try await scene.sandbox.wait("version --cluster to end with 2", seconds: 20) {
                    let result = ClientProgram.run("version --cluster", on: scene.primary, of: scene.sandbox)
                    return result.status == 2 && result.output.contains("\(scene.replica.name)  unreachable")
                }
                let path = ".data.nodes[] | select(.name == \"\(scene.replica.name)\")"
                try await scene.sandbox.wait("its lag to be unknown", seconds: 10) {
                    let document = try ClientProgram.json("state export", on: scene.primary, of: scene.sandbox)
                    return try Shell.jq(path + ".lag_bytes", document) == "null"
                }
                try await scene.sandbox.wait("explain to say that it is silent", seconds: 10) {
                    try text("explain \(scene.replica.name)", scene.primary, scene.sandbox).contains("DE7")
                }
                try scene.sandbox.startDaemon(scene.replica)
            }
        }

        @Test func `a checkpoint runs where it is asked for`() async throws {
            try await play("checkpoint") { sandbox, primary in
                let replica = sandbox.members.first { $0 != primary } ?? primary
                let made = try ClientProgram.json("postgres checkpoint", on: replica, of: sandbox)
                try hold(try Shell.jq(".data.node", made) == primary.name, made)
                let lsn = try SimpleQuery.column("SELECT checkpoint_lsn FROM pg_control_checkpoint()", on: sandbox.adminConnection(primary))
                try hold(try Shell.jq(".data.lsn", made) == lsn.first, "\(made) \(lsn)")
                try hold(try text("postgres checkpoint \(replica.name)", primary, sandbox).contains(replica.name), "on the replica")
            }
        }

        @Test func `slot drop takes only a slot that nobody uses or needs`() async throws {
            try await play("slot drop") { sandbox, primary in
                let replica = sandbox.members.first { $0 != primary } ?? primary
                let admin = sandbox.adminConnection(primary)
                _ = try SimpleQuery.column("SELECT slot_name FROM pg_create_physical_replication_slot('forgotten', true)", on: admin)
                try await sandbox.wait("the slot to be seen", seconds: 10) {
                    try ClientProgram.json("slots", on: replica, of: sandbox).contains("forgotten")
                }
                let slot = replica.name.replacing("-", with: "_")
                let needed = ClientProgram.run("slot drop \(primary.name) \(slot) --yes", on: replica, of: sandbox)
                try hold(needed.status == 3 && needed.errors.contains("slot."), "\(needed)")
                _ = try text("slot drop \(primary.name) forgotten --yes", replica, sandbox)
                let left = try SimpleQuery.column("SELECT slot_name FROM pg_replication_slots WHERE slot_name = 'forgotten'", on: admin)
                try hold(left.isEmpty, "the slot is still there")
                try await sandbox.wait("the slot to be gone from the view", seconds: 10) {
                    ClientProgram.run("slot drop \(primary.name) forgotten --yes", on: replica, of: sandbox).status == 10
                }
            }
        }

        @Test func `a switchover and a failover leave decisions that explain them, and the record is whole`() async throws {
            try await Scene.play("decisions", touching: .nothing) { scene in
                let sandbox = scene.sandbox
                let moved = ClientProgram.run("switchover \(scene.replica.name) --yes --reason maintenance", on: scene.primary, of: sandbox)
                try hold(moved.status == 0, "\(moved)")
                try await sandbox.settled()
                let refused = ClientProgram.run("switchover \(scene.replica.name) --yes", on: scene.primary, of: sandbox)
                try hold(refused.status == 3, "\(refused)")
                for node in sandbox.members {
                    try await sandbox.wait("\(node.name) to explain the switchover", seconds: 10) {
                        let explained = try text("explain", node, sandbox)
                        return explained.contains("SW5") || explained.contains("SE10") || explained.contains("request.refused")
                    }
                    let audit = try ClientProgram.json("audit list", on: node, of: sandbox)
                    let asked = ".data.records[] | select(.kind == \"operation.started\")"
                    try hold(try Shell.jq("[\(asked).reason][0]", audit) == "maintenance", audit)
                    try hold(try Shell.jq("[.data.records[] | select(.kind == \"request.refused\")] | length >= 1", audit) == "true", audit)
                    try hold(try text("audit verify", node, sandbox).hasPrefix("ok"), "the chain")
                }
                sandbox.killNode(scene.replica)
                try await sandbox.wait("a failover to be recorded", seconds: 40) {
                    let events = try ClientProgram.json("events --type primary", on: scene.primary, of: sandbox)
                    let last = try Shell.jq(
                        "[.data.events[] | select(.type == \"primary.assigned\")] | last | .rules | join(\",\")", events)
                    return last.contains("SE4") && last.contains("LE8")
                }
                let history = try ClientProgram.json("history -n 1", on: scene.primary, of: sandbox)
                try hold(try Shell.jq(".data.changes | length", history) == "1", history)
                try sandbox.startDaemon(scene.replica)
                try await scene.commits(20)
            }
        }

        @Test func `events -f tells what happens while it runs`() async throws {
            try await play("events -f") { sandbox, primary in
                let node = sandbox.members.first { $0 != primary } ?? primary
                async let followed = Task.detached {
                    Shell.run(
                        "timeout -s INT 12 '\(sandbox.program)' events -f -n 1 -o jsonl < /dev/null",
                        environment: ["PGBASTION_CONFIG": sandbox.layout.configuration(node)])
                }.value
                try await sandbox.lasts(.seconds(3))
                _ = try text("pause --reason follow-me", primary, sandbox)
                _ = try text("resume", primary, sandbox)
                let lines = await followed.output
                try hold(lines.contains("failover.paused") && lines.contains("failover.resumed"), lines)
                try hold(lines.split(separator: "\n").allSatisfy { $0.hasPrefix("{\"type\":\"event\"") }, lines)
            }
        }

        @Test func `wait takes a value of the state document`() async throws {
            try await play("wait PATH=VALUE") { sandbox, primary in
                let met = "wait raft.has_quorum=true primary.name=\(primary.name) 'nodes[*].reachable=true' split_brain=false"
                _ = try text(met, primary, sandbox)
                _ = try text("wait primary.name=nobody --timeout 1s", primary, sandbox, status: 6)
                let document = try ClientProgram.json("state export --redact", on: primary, of: sandbox)
                try hold(!document.contains("\"\(primary.name)\",\"promotable"), document)
                try hold(try Shell.jq(".data.format", document) == "pgbastion-state", document)
            }
        }

        // MARK: pgconfig

        private func shown(_ name: String, _ node: SandboxNode, _ sandbox: Sandbox) throws -> String {
            try SimpleQuery.column("SELECT current_setting('\(name)')", on: sandbox.adminConnection(node)).first ?? ""
        }

        @Test func `a setting reaches every node, and unset takes it back (X07)`() async throws {
            try await play("pgconfig set") { sandbox, primary in
                let node = sandbox.members.first { $0 != primary } ?? primary
                let before = try shown("work_mem", primary, sandbox)
                let set = try ClientProgram.json("pgconfig set work_mem=7MB log_lock_waits=on --yes", on: node, of: sandbox)
                try hold(try Shell.jq(".data.parameters.work_mem", set) == "7MB", set)
                try hold(try Shell.jq(".data.pending_restart | length", set) == "0", set)
                for member in sandbox.members { try hold(try shown("work_mem", member, sandbox) == "7MB", member.name) }
                try hold(try text("pgconfig diff", node, sandbox).hasPrefix("every server"), "no difference")
                _ = try text("pgconfig set work_mem=banana --yes", node, sandbox, status: 65)
                _ = try text("pgconfig set archive_command=/bin/true --yes", node, sandbox, status: 3)
                _ = try text("pgconfig set no_such_setting=1 --yes", node, sandbox, status: 65)
                _ = try text("pgconfig set work_mem=8MB --expected-version 77 --yes", node, sandbox, status: 3)
                _ = try text("pgconfig unset work_mem log_lock_waits --yes", node, sandbox)
                for member in sandbox.members { try hold(try shown("work_mem", member, sandbox) == before, member.name) }
                let audit = try ClientProgram.json("audit list", on: node, of: sandbox)
                try hold(audit.contains("postgresql.parameters") && !audit.contains("7MB"), audit)
            }
        }

        @Test func `max_connections is raised on the replicas first, then by a switchover on the primary (D58, AG21)`() async throws {
            try await Scene.play("pgconfig max_connections", touching: .nothing, longestGap: .seconds(20)) { scene in
                let sandbox = scene.sandbox
                let set = try ClientProgram.json("pgconfig set max_connections=130 --yes", on: scene.primary, of: sandbox)
                try await sandbox.wait("all three servers to wait for a restart", seconds: 15) {
                    let pending = try ClientProgram.json("pgconfig pending-restart", on: scene.primary, of: sandbox)
                    let first = ".data.pending[] | select(.node == \"\(scene.primary.name)\").restart_after"
                    let others = scene.replicas.map(\.name).sorted().joined(separator: ", ")
                    return try Shell.jq(".data.pending | length", pending) == "3" && (try Shell.jq(first, pending)) == others
                }
                for replica in scene.replicas {
                    _ = sandbox.signal(SIGQUIT, .postmaster, replica)
                    try await sandbox.wait("\(replica.name) with 130 connections", seconds: 40) {
                        do { return try shown("max_connections", replica, sandbox) == "130" } catch { return false }
                    }
                    try await sandbox.settled()
                }
                let moved = ClientProgram.run("switchover \(scene.replica.name) --yes", on: scene.replicas[1], of: sandbox)
                try hold(moved.status == 0, "\(moved) after \(set)")
                try await sandbox.wait("every server to run with 130 connections", seconds: 40) {
                    do {
                        for node in sandbox.members where try shown("max_connections", node, sandbox) != "130" { return false }
                        return true
                    } catch { return false }
                }
                try await sandbox.wait("nothing to wait for a restart", seconds: 15) {
                    try text("pgconfig pending-restart", scene.primary, sandbox).hasPrefix("no server")
                }
                _ = try text("pgconfig unset max_connections --yes", scene.primary, sandbox)
                try await scene.commits(20)
            }
        }
    }
}
