import Bastion
import Glibc
import Testing

extension ScenarioTests {
    /// `config init`, and the cluster that its files and its printed commands make.
    @Suite(.serialized, .unstartedNodes("init", nodes: 3)) struct ConfigurationFiles {
        /// The ports and directories that nodes on one machine cannot share.
        private func places(_ node: SandboxNode, _ layout: SandboxLayout) -> String {
            [
                "cluster.name=sandbox", "node.state_dir=\(layout.stateDirectory(node))", "node.run_dir=\(layout.runDirectory(node))",
                "raft.data_dir=\(layout.root(node))/raft", "raft.bind_port=\(node.raftPort)", "proxy.primary_port=\(node.primaryPort)",
                "proxy.replica_port=\(node.replicaPort)", "api.port=\(node.apiPort)", "metrics.port=\(node.metricsPort)",
                "postgresql.data_dir=\(layout.dataDirectory(node))", "postgresql.port=\(node.postgresPort)",
                "'postgresql.connect_dsn=host=\(layout.runDirectory(node)) dbname=postgres'",
            ].map { "--set \($0)" }.joined(separator: " ")
        }

        @Test func `three nodes from nothing: config init (0640), doctor, start, and peer add as printed (F01)`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            let layout = sandbox.layout
            let first = layout.nodes[0]
            func write(_ node: SandboxNode, _ more: String) throws -> Shell.Result {
                let result = Shell.run(
                    "'\(sandbox.program)' config init --node \(node.name) --address 127.0.0.1 --out '\(layout.configuration(node))' --force "
                        + places(node, layout) + " " + more)
                try hold(result.status == 0, "\(result)")
                return result
            }
            let made = try write(first, "--bootstrap --set failover.pause_lease=9s")
            try hold(
                made.errors.contains("PostgreSQL ") && made.errors.contains("failover.pause_lease"),
                "what was found and what differs: \(made)")
            let modes = Shell.run("stat -c %a '\(layout.configuration(first))' '\(layout.root(first))/api-token'")
            try hold(modes.output == "640\n600\n", "\(modes)")
            let refused = Shell.run(
                "'\(sandbox.program)' config init --node node1 --address 127.0.0.1 --bootstrap --out '\(layout.configuration(first))'")
            try hold(refused.status == 3 && refused.errors.contains("--force"), "\(refused)")

            let before = ClientProgram.run("doctor --pre", on: first, of: sandbox)
            try hold(before.output.contains("ports.free") && !before.output.contains("error    ports.free"), "\(before)")
            try sandbox.startDaemon(first)
            try await sandbox.wait("a primary", seconds: 90) { try await sandbox.state(first).primary?.phase == "serving" }

            for node in layout.nodes.dropFirst() {
                let joined = try write(node, "--join 127.0.0.1:\(first.raftPort)")
                try hold(joined.errors.contains("failover.pause_lease: 9s, as the cluster has it"), "\(joined)")
                try hold(Shell.text(layout.configuration(node)).contains("pause_lease: 9s"), "the value was not taken over")
                try sandbox.startDaemon(node)
                let printed = joined.output.split(separator: "\n").compactMap { line in
                    line.split(separator: "on any member: pgbastion ", maxSplits: 1).last.map(String.init)
                }.last { $0.hasPrefix("peer add") }
                let command = try #require(printed, "\(joined)")
                try await sandbox.wait("\(node.name) to be added", seconds: 60) {
                    ClientProgram.run(command, on: first, of: sandbox).status == 0
                }
            }
            try await sandbox.waitUntilHealthy()
            let agreed = ClientProgram.run("config diff", on: first, of: sandbox)
            try hold(agreed.status == 0, "\(agreed)")
            let overAPI = Shell.run(
                "'\(sandbox.program)' config init --node node9 --address 127.0.0.9 --out '\(layout.directory)/node9.yaml' "
                    + "--join http://127.0.0.1:\(first.apiPort)")
            try hold(overAPI.status == 0 && Shell.text("\(layout.directory)/node9.yaml").contains("pause_lease: 9s"), "\(overAPI)")
        }

        @Test func `config show tells where each value comes from, and no secret`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            let file = sandbox.layout.directory + "/shown.yaml"
            let text =
                "node: {name: a, address: 127.0.0.1}\napi:\n  auth_token: very-secret\npostgresql: {connect_dsn: \"host=/r password=pw port=77\"}\n"
            try hold(Shell.run("cat > '\(file)' <<'E'\n\(text)E").status == 0, "the file")
            let shown = Shell.run("'\(sandbox.program)' config show --effective --origins --config '\(file)'")
            try hold(shown.status == 0 && !shown.output.contains("very-secret") && !shown.output.contains("pw "), "\(shown)")
            for part in ["# \(file):3", "# default", "# from postgresql.connect_dsn"] {
                try hold(shown.output.contains(part), "\(part): \(shown)")
            }
            let bad = Shell.run(
                "printf 'nod: 1\\nraft: {bind_port: 0}\\n' > '\(file)'; '\(sandbox.program)' config validate '\(file)' -o json")
            try hold(bad.status == 78 && bad.output.contains("unknown key") && bad.output.contains("bind_port"), "\(bad)")
            let schema = Shell.run("'\(sandbox.program)' config schema")
            try hold(schema.status == 0 && schema.output.contains("2020-12"), "\(schema)")
        }
    }
}
