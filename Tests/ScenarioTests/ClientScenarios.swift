import Bastion
import Glibc
import PostgresTestKit
import Testing

extension ScenarioTests.ThreeNodes {
    /// What applications and operators see of a healthy cluster.
    @Suite(.serialized) struct Clients {
        @Test func `psql writes through the primary port and reads through the replica port of every node (K07, K08)`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            try await sandbox.settled()
            let primary = try await sandbox.primary()
            let psql = "psql -X -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U app -d postgres"
            for node in sandbox.members {
                let write = Shell.run(
                    "\(psql) -p \(node.primaryPort) -c 'SELECT pg_is_in_recovery()' "
                        + "-c 'INSERT INTO pgbastion_probe VALUES (-\(node.number)) ON CONFLICT DO NOTHING'",
                    environment: ["PGPASSWORD": "app"])
                #expect(write.status == 0 && write.output.hasPrefix("f\n"), "\(node.name): \(write)")
                let read = Shell.run(
                    "\(psql) -p \(node.replicaPort) -c \"SELECT pg_is_in_recovery(), current_setting('cluster_name'), inet_server_port()\"",
                    environment: ["PGPASSWORD": "app"])
                #expect(read.status == 0 && read.output.hasPrefix("t|"), "\(node.name): \(read)")
                #expect(!read.output.trimmed.hasSuffix("|\(primary.postgresPort)"), "\(node.name): \(read)")
            }
        }

        @Test func `the command line answers for a healthy cluster, with the exit codes of its contract`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            try await sandbox.settled()
            let primary = try await sandbox.primary()
            let node = sandbox.layout.nodes[0]
            let status = try ClientProgram.json("status", on: node, of: sandbox)
            #expect(try Shell.jq(".data.primary.name", status) == primary.name)
            #expect(try Shell.jq(".ok, .kind, (.data.nodes | length)", status) == "true\nStatusResult\n3")
            let peers = try ClientProgram.json("peers", on: node, of: sandbox)
            #expect(try Shell.jq("[.data.peers[] | select(.suffrage == \"voter\" and .reachable)] | length", peers) == "3")
            let leader = ClientProgram.run("leader", on: node, of: sandbox)
            #expect(leader.status == 0 && sandbox.layout.nodes.map(\.name).contains(leader.output.trimmed), "\(leader)")
            let replica = try #require(sandbox.members.first { $0 != primary })
            let wait = ClientProgram.run(
                "wait leader quorum healthy 'primary=\(primary.name)' streaming,node=\(replica.name)", on: node, of: sandbox)
            #expect(wait.status == 0, "\(wait)")
            let never = ClientProgram.run("wait paused --timeout 1s", on: node, of: sandbox)
            #expect(never.status == 6, "\(never)")
            let version = ClientProgram.run("version", on: node, of: sandbox)
            #expect(version.status == 0 && version.output.hasPrefix("pgbastion "), "\(version)")
            let usage = ClientProgram.run("status --no-such-option", on: node, of: sandbox)
            #expect(usage.status == 64, "\(usage)")
            let unknown = ClientProgram.run("node show node77", on: node, of: sandbox)
            #expect(unknown.status == 10, "\(unknown)")
            let question = ClientProgram.run("switchover", on: node, of: sandbox)
            #expect(question.status == 64 && question.errors.contains("--yes"), "\(question)")
        }

        @Test func `leadership moves to the voter that is named, and the primary stays (GD6)`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            try await sandbox.settled()
            let primary = try await sandbox.primary()
            let node = sandbox.layout.nodes[0]
            let before = try Shell.jq(".data.leader_id", ClientProgram.json("raft status", on: node, of: sandbox))
            let other = try #require(sandbox.members.first { $0.name != before && $0 != primary })
            _ = try ClientProgram.json("raft transfer \(other.name) --yes", on: node, of: sandbox)
            try await sandbox.wait("\(other.name) to lead", seconds: 10) {
                try await sandbox.rest(node).raft.leader_id == other.name
            }
            #expect(try await sandbox.primary() == primary)
        }

        @Test func `a wrong token is exit 4, no daemon is exit 5`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            try await sandbox.settled()
            let node = sandbox.layout.nodes[0]
            let file = sandbox.layout.directory + "/wrong-token"
            let wrong = Shell.run(
                "umask 077; echo wrong > '\(file)'; '\(sandbox.program)' pause --addr http://127.0.0.1:\(node.apiPort) --token-file '\(file)'"
            )
            #expect(wrong.status == 4, "\(wrong)")
            #expect(wrong.errors.contains(file), "the source of the token is not named: \(wrong)")
            let nobody = Shell.run("'\(sandbox.program)' status --addr http://127.0.0.1:\(Loopback.freePort())")
            #expect(nobody.status == 5, "\(nobody)")
            #expect(try await sandbox.rest(node).paused.active == false)
        }

        @Test func `a replica's data is replaced by node reinit, and the primary's is not`() async throws {
            try await Scene.play("node reinit of a replica", touching: .replica, longestGap: .seconds(5)) { scene in
                let refused = ClientProgram.run("node reinit \(scene.primary.name) --yes", on: scene.replica, of: scene.sandbox)
                try hold(refused.status == 3, "reinit of the primary: \(refused)")
                let before = inode(scene.sandbox.layout.dataDirectory(scene.replica))
                _ = try ClientProgram.json(
                    "node reinit \(scene.replica.name) --method basebackup --yes", on: scene.primary, of: scene.sandbox)
                try await scene.sandbox.settled()
                let directory = scene.sandbox.layout.dataDirectory(scene.replica)
                try hold(inode(directory) != before, "the directory is the same one")
                // The first one is kept, unless the machine's disk is nearly full.
                func replaced() -> Set<Substring> { Set(Shell.run("ls -d '\(directory)'.quarantine-*").output.split(separator: "\n")) }
                let kept = replaced()
                _ = try ClientProgram.json(
                    "node reinit \(scene.replica.name) --method basebackup --keep-old 0 --yes", on: scene.primary, of: scene.sandbox)
                try await scene.sandbox.wait("the old directory of the second one to go", seconds: 90) { replaced().isSubset(of: kept) }
                try await scene.sandbox.settled()
            }
        }

        private func inode(_ path: String) -> UInt64 {
            var status = stat()
            return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
        }
    }
}
