import Bastion
import FoundationEssentials
import Glibc
import PostgresControl
import PostgresTestKit
import Testing

extension ScenarioTests {
    /// pgbastion is put over a PostgreSQL that was there before, in Debian's layout (AG5, AG17, P01).
    @Suite(.serialized) struct Adoption {
        @Test func `a running PostgreSQL is adopted without a restart, a replica joins, and a switchover makes it ours`() async throws {
            try await withSandbox("adopt", nodes: 2) { sandbox in
                let (first, second) = (sandbox.layout.nodes[0], sandbox.layout.nodes[1])
                let debian = DebianServer(sandbox, first)
                try debian.create()
                try debian.start()
                _ = try debian.ask("CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
                let before = try #require(sandbox.postmasterPID(first))
                let system = try debian.ask("SELECT system_identifier FROM pg_control_system()")
                let session = TestProcess.start([
                    "/usr/bin/psql", debian.connection, "-XAtqc", "BEGIN; CREATE TEMP TABLE mine (); SELECT pg_sleep(300)",
                ])
                defer { session.send(SIGKILL) }
                let sleeper = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)' AND pid <> pg_backend_pid()"
                try await sandbox.wait("the open session", seconds: 10) { try !debian.ask(sleeper).isEmpty }
                let backend = try debian.ask(sleeper)

                try sandbox.startDaemon(first)
                try await serves(sandbox, first)
                try await sandbox.prepareClients()
                try hold(sandbox.postmasterPID(first) == before, "PostgreSQL was restarted")
                try hold(try debian.ask(sleeper) == backend, "the session was ended")
                try hold(try debian.ask("SELECT timeline_id FROM pg_control_checkpoint()") == "1", "another timeline")
                _ = try SimpleQuery.column("INSERT INTO pgbastion_probe VALUES (1)", on: sandbox.clientConnection(first))
                let shown = try await sandbox.call("status", through: first).text
                try hold(shown.contains("\"adopted\":true") && shown.contains("\"pending_restart\":true"), shown)
                let own = try String(contentsOf: URL(filePath: debian.configFile), encoding: .utf8)
                try hold(own.contains("# pgbastion: keep this line last") && own.contains("data_directory"), "the operator's file")

                // A restart of the daemon finds its server again.
                sandbox.signal(SIGKILL, .daemon, first)
                try await sandbox.wait("the end of the daemon", seconds: 10) { sandbox.daemonPID(first) == nil }
                try sandbox.startDaemon(first)
                try await serves(sandbox, first)
                try hold(
                    sandbox.postmasterPID(first) == before && (try debian.ask(sleeper)) == backend,
                    "the restart of the daemon cost the server")

                try await join(sandbox, second, through: first)
                try await sandbox.settled(seconds: 120)
                let copy = sandbox.adminConnection(second)
                try hold(try SimpleQuery.column("SELECT count(*) FROM kept", on: copy) == ["100"], "the rows were not cloned")
                try hold(
                    try SimpleQuery.column("SELECT system_identifier FROM pg_control_system()", on: copy) == [system], "another system")

                _ = try debian.ask("SELECT pg_terminate_backend(\(backend))")
                try await sandbox.wait("the end of the session", seconds: 20) { try debian.ask(sleeper).isEmpty }
                try await sandbox.wait("a switchover", seconds: 60) {
                    try await sandbox.call("switchover", "{\"to\":\"node2\"}", through: first, wait: .seconds(30)).ok
                }
                try await sandbox.settled(seconds: 120)
                try hold(try await sandbox.primary() == second, "node2 is not the primary")
                _ = try SimpleQuery.column("INSERT INTO pgbastion_probe VALUES (2)", on: sandbox.clientConnection(first))
                let after = try #require(sandbox.postmasterPID(first))
                try hold(after != before, "the old primary was not restarted as a replica")
                try hold(parent(of: after) == sandbox.guardPID(first), "the replica is no child of the guard")
                try hold(try debian.ask("SHOW config_file") == debian.configFile, "it does not run with Debian's file")
                try hold(try debian.ask("SHOW hba_file") == debian.configurationDirectory + "/pg_hba.conf", "other access rules")
                let later = try await sandbox.call("status", through: first).text
                try hold(!later.contains("\"adopted\":true"), "it is still shown as adopted")
                try await rogue(debian, first, second)
            }
        }

        /// AS4: the distribution's unit starts a replica's directory as a primary while nobody supervises it.
        private func rogue(_ debian: DebianServer, _ replica: SandboxNode, _ primary: SandboxNode) async throws {
            let sandbox = debian.sandbox
            try await sandbox.wait("the pause", seconds: 20) {
                try await sandbox.call("pause", "{\"reason\":\"test\"}", through: primary).ok
            }
            try debian.shell("/usr/lib/postgresql/15/bin/pg_ctl -D '\(debian.dataDirectory)' -m fast -w stop")
            try debian.shell("rm '\(debian.dataDirectory)/standby.signal'")
            _ = Shell.run(
                "pg_ctlcluster --skip-systemctl-redirect 15 \(debian.name) start",
                environment: ["PG_CLUSTER_CONF_ROOT": debian.root])
            try await sandbox.wait("the fence", seconds: 20) {
                try await sandbox.rest(primary).nodes.contains { $0.name == replica.name && $0.state == "fenced" }
            }
            try hold(sandbox.postmasterPID(replica) == nil, "the server that nobody asked for still runs")
            // The line may come a moment after the state is shown.
            try await sandbox.wait("the reason in the guard's log", seconds: 10) {
                let log = Shell.text(sandbox.layout.stateDirectory(replica) + "/guard/guard.log")
                return log.contains("state=fenced") && log.contains("AG1")
            }
            _ = try SimpleQuery.column("INSERT INTO pgbastion_probe VALUES (3)", on: sandbox.clientConnection(primary))
            _ = try await sandbox.call("resume", through: primary)
            try await sandbox.settled(seconds: 120)
            try hold(
                try SimpleQuery.column("SELECT count(*) FROM pgbastion_probe", on: debian.connection) == ["3"], "the replica is not a copy")
        }

        @Test func `a stopped data directory is taken over as it is, and another system is refused untouched (D60)`() async throws {
            try await withSandbox("takeover", nodes: 2) { sandbox in
                let (first, second) = (sandbox.layout.nodes[0], sandbox.layout.nodes[1])
                let debian = DebianServer(sandbox, first)
                try debian.create()
                try debian.configure("max_connections = 150")
                try debian.configure("wal_level = logical")
                try debian.start()
                _ = try debian.ask("CREATE TABLE kept AS SELECT 7 AS n")
                let system = try debian.ask("SELECT system_identifier FROM pg_control_system()")
                try debian.stop()
                try sandbox.startDaemon(first)
                try await serves(sandbox, first)
                try hold(try debian.ask("SELECT n FROM kept") == "7", "the table is gone")
                try hold(try debian.ask("SELECT system_identifier FROM pg_control_system()") == system, "another system")
                try hold(try debian.ask("SHOW max_connections") == "150", "the operator's setting was lowered")
                try hold(try debian.ask("SHOW wal_level") == "logical", "the operator's setting was lowered")
                try hold(try debian.ask("SHOW config_file") == debian.configFile, "it does not run with Debian's file")
                let server = try #require(sandbox.postmasterPID(first))
                try hold(parent(of: server) == sandbox.guardPID(first), "the server is no child of the guard")

                // Somebody else's data on the node that joins.
                let foreign = DebianServer(sandbox, second)
                try foreign.create()
                let version = Shell.run("stat -c %Y%i '\(foreign.dataDirectory)/global/pg_control'").output
                try await join(sandbox, second, through: first)
                try await sandbox.wait("the refusal", seconds: 60) {
                    try await sandbox.rest(first).nodes.contains { $0.name == second.name && $0.standing == "refused" }
                }
                try hold(try await sandbox.call("status", through: first).text.contains("D60"), "the reason is not shown")
                try await sandbox.lasts(.seconds(3))
                try hold(sandbox.postmasterPID(second) == nil, "a foreign server was started")
                try hold(Shell.run("stat -c %Y%i '\(foreign.dataDirectory)/global/pg_control'").output == version, "it was touched")
                try hold(
                    !Shell.text(foreign.configFile).contains("keep this line last"), "the configuration of a foreign server was changed")
            }
        }

        @Test func `a running standby is adopted and waits for a failover (P01)`() async throws {
            try await withSandbox("standby", nodes: 1) { sandbox in
                let node = sandbox.layout.nodes[0]
                let debian = DebianServer(sandbox, node)
                try debian.create()
                try debian.shell("touch '\(debian.dataDirectory)/standby.signal'")
                try debian.start()
                let before = try #require(sandbox.postmasterPID(node))
                try sandbox.startDaemon(node)
                try await sandbox.wait("the adoption", seconds: 60) {
                    try await sandbox.call("status", through: node).text.contains("\"adopted\":true")
                }
                try await sandbox.lasts(.seconds(3))
                try hold(try debian.ask("SELECT pg_is_in_recovery()") == "t", "it was promoted by itself")
                try hold(sandbox.postmasterPID(node) == before, "PostgreSQL was restarted")
                // Stopped by hand it is started again, and still waits.
                try debian.shell("/usr/lib/postgresql/15/bin/pg_ctl -D '\(debian.dataDirectory)' -m fast -w stop")
                try await sandbox.wait("the restart", seconds: 60) {
                    guard let now = sandbox.postmasterPID(node), now != before else { return false }
                    return parent(of: now) == sandbox.guardPID(node)
                }
                try await sandbox.wait("the server", seconds: 60) {
                    try await sandbox.rest(node).nodes.contains { $0.name == node.name && $0.role == "replica" }
                }
                try await sandbox.lasts(.seconds(3))
                try hold(try debian.ask("SELECT pg_is_in_recovery()") == "t", "it was promoted after a restart")
                let restarted = sandbox.postmasterPID(node)
                try await sandbox.wait("the failover", seconds: 60) { try await sandbox.call("failover", through: node).ok }
                try await serves(sandbox, node)
                try hold(sandbox.postmasterPID(node) == restarted, "PostgreSQL was restarted")
                try hold(try debian.ask("SELECT pg_is_in_recovery()") == "f", "it was not promoted")
            }
        }

        @Test func `a PostgreSQL on the proxy's port stops the start with 78, the port and both ways out`() async throws {
            try await withSandbox("port", nodes: 1) { sandbox in
                let node = sandbox.layout.nodes[0]
                var debian = DebianServer(sandbox, node)
                debian.port = node.primaryPort
                try debian.create()
                try debian.start()
                let result = Shell.run("'\(ProgramUnderTest.copy)' serve --config '\(sandbox.layout.configuration(node))'")
                try hold(result.status == 78, "exit status \(result.status): \(result.errors)")
                let said = result.output + result.errors
                for part in ["\(node.primaryPort)", "proxy.primary_port", "postgresql.port", "5434"] {
                    try hold(said.contains(part), "\"\(part)\" is not in: \(said)")
                }
                try hold(try debian.ask("SELECT 1") == "1", "the server was disturbed")
                try hold(!Shell.text(debian.configFile).contains("keep this line last"), "something was changed")
                try debian.stop()
            }
        }

        // MARK: Steps

        private func withSandbox(_ label: String, nodes: Int, _ body: (Sandbox) async throws -> Void) async throws {
            let directory = "/tmp/pgbastion-test-\(getpid())-\(label)"
            let sandbox = try SandboxEntry.make(
                directory: directory, nodes: nodes, binary: ProgramUnderTest.copy, log: { Report.line($0) })
            do {
                try await body(sandbox)
            } catch {
                Report.line("FAILED \(label): \(error)")
                for node in sandbox.layout.nodes {
                    Report.line("---- end of the log of \(node.name)")
                    for row in Shell.run("tail -n 40 '\(sandbox.layout.log(node))'").output.split(separator: "\n") {
                        Report.line("  " + row)
                    }
                }
                await sandbox.stop()
                throw error
            }
            await sandbox.stop()
            sandbox.remove()
        }

        private func serves(_ sandbox: Sandbox, _ node: SandboxNode) async throws {
            try await sandbox.wait("a primary on \(node.name)", seconds: 60) {
                let now = try await sandbox.state(node)
                return now.primary?.phase == "serving" && now.primary?.name == node.name && now.operation == nil
            }
        }

        private func join(_ sandbox: Sandbox, _ node: SandboxNode, through first: SandboxNode) async throws {
            try sandbox.startDaemon(node)
            try await sandbox.wait("\(node.name) to be added", seconds: 60) {
                try await sandbox.call(
                    "peer.add", "{\"name\":\"\(node.name)\",\"address\":\"127.0.0.1:\(node.raftPort)\"}", through: first
                ).ok
            }
        }

        private func parent(of pid: Int32) -> Int32? {
            Int32(Shell.run("ps -o ppid= -p \(pid)").output.trimmed)
        }
    }
}
