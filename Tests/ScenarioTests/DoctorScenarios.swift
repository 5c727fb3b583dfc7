import Bastion
import FoundationEssentials
import Glibc
import PostgresControl
import Testing

extension ScenarioTests {
    /// `doctor`, `upgrade-check` and the configuration commands on a real cluster.
    @Suite(.serialized, .cluster("doctor", nodes: 3)) struct Diagnosis {
        private func sandbox() async throws -> Sandbox {
            let sandbox = try await SuiteCluster.required().sandbox()
            try await sandbox.settled()
            return sandbox
        }

        @Test func `doctor finds a healthy cluster healthy`() async throws {
            let sandbox = try await sandbox()
            let first = sandbox.layout.nodes[0]
            let words = "doctor raft cluster postgres replication network --all"
            // A synchronous set settles about a second after the cluster is at rest (SE9).
            var report = try Doctor.run(words, on: first, of: sandbox)
            try await sandbox.wait("doctor to find nothing: \(report)", seconds: 60) {
                report = try Doctor.run(words, on: first, of: sandbox)
                return report.failed.isEmpty && report.status == 0
            }
            for id in ["postgres.running", "postgres.dsn", "postgres.hba", "network.peer_port_out", "network.peer_port_in", "one_primary"] {
                try hold(report.result(id) == "ok", "\(id): \(report)")
            }
        }

        @Test func `a stopped postmaster, a wrong DSN and a pg_hba reject are told apart (P21)`() async throws {
            let sandbox = try await sandbox()
            let replica = try #require(sandbox.members.last)
            let primary = try await sandbox.primary()
            let node = replica == primary ? try #require(sandbox.members.first) : replica
            let file = sandbox.layout.configuration(node)
            let text = Shell.text(file)

            // A database that does not exist.
            try await restarted(node, of: sandbox, with: text.replacing("dbname=postgres", with: "dbname=nowhere"))
            let wrong = try Doctor.run("doctor postgres", on: node, of: sandbox)
            try hold(wrong.result("postgres.running") == "ok" && wrong.result("postgres.dsn") == "fail" && wrong.status == 2, "\(wrong)")
            try hold(wrong.result("postgres.hba") == "skipped", "\(wrong)")

            // A user whom pg_hba.conf rejects.
            let rejected = text.replacing("dbname=postgres", with: "host=127.0.0.1 dbname=postgres user=stranger")
                .replacing("host=\(sandbox.layout.runDirectory(node)) host=", with: "host=")
            let hba = sandbox.layout.dataDirectory(node) + "/pg_hba.conf"
            let added = Shell.run(
                "sed -i '1i host all stranger 127.0.0.1/32 reject' '\(hba)' && kill -HUP $(head -1 '\(sandbox.layout.dataDirectory(node))/postmaster.pid')"
            )
            try hold(added.status == 0, "\(added)")
            try await restarted(node, of: sandbox, with: rejected)
            try await sandbox.wait("doctor to name pg_hba", seconds: 30) {
                let report = try Doctor.run("doctor postgres", on: node, of: sandbox)
                return report.result("postgres.hba") == "fail" && report.result("postgres.dsn") == "ok"
                    && report.result("postgres.running") == "ok"
            }
            _ = Shell.run("sed -i '/stranger/d' '\(hba)'")
            try await restarted(node, of: sandbox, with: text)

            // A server that does not run: frozen, so that nobody starts another one meanwhile.
            try await sandbox.settled()
            sandbox.signal(SIGSTOP, .guardProcess, node)
            sandbox.signal(SIGKILL, .postmaster, node)
            try await sandbox.wait("doctor to miss the server", seconds: 30) {
                let report = try Doctor.run("doctor postgres", on: node, of: sandbox)
                return report.result("postgres.running") == "fail" && report.result("postgres.dsn") == "skipped"
            }
            sandbox.signal(SIGCONT, .guardProcess, node)
            try await sandbox.settled(restarting: true)
        }

        @Test func `a Raft port that cannot be reached is named with its pair, in both directions (P22)`() async throws {
            let sandbox = try await sandbox()
            let primary = try await sandbox.primary()
            let others = sandbox.members.filter { $0 != primary }
            let (asked, gone) = (primary, others[0])
            sandbox.signal(SIGKILL, .daemon, gone)
            try await sandbox.isGone(.daemon, gone)
            let report = try Doctor.run("doctor network raft", on: asked, of: sandbox)
            try hold(report.status == 2 && report.result("network.peer_port_out") == "fail", "\(report)")
            try hold(report.text.contains("\(asked.name) -> \(gone.name) (127.0.0.1:\(gone.raftPort))"), "\(report)")
            // The silent member could not dial back: that is not ok.
            try hold(report.result("network.peer_port_in") == "skipped", "\(report)")
            try sandbox.startDaemon(gone)
            try await sandbox.settled()
            let healed = try Doctor.run("doctor network", on: asked, of: sandbox)
            try hold(healed.result("network.peer_port_out") == "ok" && healed.result("network.peer_port_in") == "ok", "\(healed)")
        }

        @Test func `without a leader every pair is still tested, and without a daemon the local part works`() async throws {
            let sandbox = try await sandbox()
            let nodes = sandbox.members
            for node in nodes.dropFirst() { sandbox.signal(SIGKILL, .daemon, node) }
            for node in nodes.dropFirst() { try await sandbox.isGone(.daemon, node) }
            let alone = try Doctor.run("doctor network", on: nodes[0], of: sandbox)
            for node in nodes.dropFirst() {
                try hold(alone.text.contains("\(nodes[0].name) -> \(node.name)"), "\(alone)")
            }
            let offline = try Doctor.run("doctor", on: nodes[1], of: sandbox)
            try hold(offline.result("config.valid") == "ok" && offline.result("raft.leader") == "skipped", "\(offline)")
            try hold(offline.text.contains("no daemon"), "\(offline)")
            let plugin = ClientProgram.run("doctor --nagios", on: nodes[1], of: sandbox)
            try hold([1, 2, 3].contains(plugin.status) && plugin.output.hasPrefix("PGBASTION "), "\(plugin)")
            for node in nodes.dropFirst() { try sandbox.startDaemon(node) }
            try await sandbox.settled(restarting: true)
        }

        @Test func `drift between the nodes is found, and a reload of all heals it`() async throws {
            let sandbox = try await sandbox()
            let (first, second) = (sandbox.members[0], sandbox.members[1])
            let same = ClientProgram.run("config diff", on: first, of: sandbox)
            try hold(same.status == 0, "\(same)")
            let text = Shell.text(sandbox.layout.configuration(second))
            try write(text.replacing("pause_lease: 8s", with: "pause_lease: 9s"), sandbox.layout.configuration(second))
            let reload = ClientProgram.run("config reload \(second.name)", on: first, of: sandbox)
            try hold(reload.status == 0 && reload.output.contains("applied failover.pause_lease"), "\(reload)")
            let differs = ClientProgram.run("config diff", on: first, of: sandbox)
            try hold(differs.status == 2 && differs.output.contains("failover.pause_lease"), "\(differs)")
            let drift = try Doctor.run("doctor config", on: first, of: sandbox)
            try hold(drift.result("config.drift") == "fail", "\(drift)")

            try write(
                text.replacing("bind_address: 127.0.0.1", with: "bind_address: 127.0.0.1\n  protect_reads: true"),
                sandbox.layout.configuration(second))
            let all = ClientProgram.run("config reload --all", on: first, of: sandbox)
            try hold(all.status == 0 && all.output.contains("needs a restart: api.protect_reads"), "\(all)")
            try write(text + "nonsense: 1\n", sandbox.layout.configuration(second))
            let refused = ClientProgram.run("config reload \(second.name)", on: first, of: sandbox)
            try hold(refused.status == 78 && refused.errors.contains("nonsense"), "\(refused)")
            try write(text, sandbox.layout.configuration(second))
            sandbox.signal(SIGHUP, .daemon, second)
            try await sandbox.wait("the reload in the log", seconds: 20) {
                Shell.text(sandbox.layout.log(second)).contains("event=daemon.reloaded")
            }
            try hold(ClientProgram.run("config diff", on: first, of: sandbox).status == 0, "drift remains")
        }

        @Test func `upgrade-check tells ready and not ready, with the primary last (P31)`() async throws {
            let sandbox = try await sandbox()
            let first = sandbox.members[0]
            let primary = try await sandbox.primary()
            let unsaved = ClientProgram.run("upgrade-check --to 1.0.0", on: first, of: sandbox)
            try hold(unsaved.status == 2 && unsaved.output.contains("backup.fresh"), "\(unsaved)")
            let saved = ClientProgram.run("backup create --dir '\(sandbox.layout.directory)/backups'", on: first, of: sandbox)
            try hold(saved.status == 0, "\(saved)")
            let ready = ClientProgram.run("upgrade-check --to 1.0.0 -o json", on: first, of: sandbox)
            try hold(ready.status == 0 && ready.output.contains("\"ready\":true"), "\(ready)")
            try hold(ready.output.replacing(" ", with: "").contains("\"\(primary.name)\"],\"ready\""), "\(ready)")
            let binary = ClientProgram.run("upgrade-check --binary \(sandbox.program)", on: first, of: sandbox)
            try hold(binary.status == 0, "\(binary)")
            let unknown = ClientProgram.run("upgrade-check --to 7.0.0", on: first, of: sandbox)
            try hold(unknown.status == 10, "\(unknown)")
            let replica = try #require(sandbox.members.first { $0 != primary })
            sandbox.signal(SIGKILL, .daemon, replica)
            try await sandbox.isGone(.daemon, replica)
            let asked = try #require(sandbox.members.first { $0 != replica })
            try await sandbox.wait("upgrade-check to say no", seconds: 30) {
                ClientProgram.run("upgrade-check", on: asked, of: sandbox).status == 2
            }
            try sandbox.startDaemon(replica)
            try await sandbox.settled()
        }

        private func restarted(_ node: SandboxNode, of sandbox: Sandbox, with text: String) async throws {
            try write(text, sandbox.layout.configuration(node))
            sandbox.signal(SIGKILL, .daemon, node)
            try await sandbox.isGone(.daemon, node)
            try sandbox.startDaemon(node)
            try await sandbox.wait("the API of \(node.name)", seconds: 30) { try await sandbox.rest(node).nodes.isEmpty == false }
        }
    }
}

extension Sandbox {
    func isGone(_ process: Process, _ node: SandboxNode) async throws {
        try await wait("the end of the \(process.rawValue) of \(node.name)", seconds: 30) { processID(process, node) == nil }
    }
}

func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

/// What `doctor -o json` says.
struct Doctor: CustomStringConvertible {
    struct Check: Decodable {
        var id: String
        var result: String
        var severity: String
        var message: String
        var detail: String?
        var node: String?
    }
    private struct Envelope: Decodable {
        struct Report: Decodable {
            struct Category: Decodable { var checks: [Check] }
            var categories: [Category]
        }
        var data: Report?
    }
    var status: Int32
    var text: String
    var checks: [Check]

    static func run(_ words: String, on node: SandboxNode, of sandbox: Sandbox) throws -> Doctor {
        let result = ClientProgram.run(words + " -o json", on: node, of: sandbox)
        let decoded = try JSONDecoder().decode(Envelope.self, from: Data(result.output.utf8)).data
        return Doctor(status: result.status, text: result.output, checks: decoded?.categories.flatMap(\.checks) ?? [])
    }

    func result(_ id: String) -> String? { checks.first { $0.id == id }?.result }
    var failed: [Check] { checks.filter { $0.result == "fail" && $0.severity == "error" } }
    var description: String {
        "status \(status): "
            + checks.filter { $0.result != "ok" }.map { "\($0.id) [\($0.node ?? "-")] \($0.result): \($0.message) \($0.detail ?? "")" }
            .joined(separator: "; ")
    }
}
