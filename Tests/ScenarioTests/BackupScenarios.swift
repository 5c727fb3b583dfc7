import Bastion
import ClusterModel
import Glibc
import Testing

extension ScenarioTests {
    /// Rows P09 and P11 to P14 and section 12 of backup-restore.md, on a real cluster.
    @Suite(.serialized, .cluster("backup", nodes: 3)) struct Backups {}
}

extension ScenarioTests.Backups {
    @Test func `a live backup is consistent, confirmed by a quorum and readable with the host's programs (P09, P12, F3)`() async throws {
        try await backedUp("live backup") { sandbox, directory in
            let node = sandbox.layout.nodes[1]
            let made = try ClientProgram.json("backup create --dir '\(directory)' --label why=test", on: node, of: sandbox)
            try hold(
                try Shell.jq(
                    ".data | [.verified, .mode, (.agreed_by | length), (.index > 0), (.term > 0)] | map(tostring) | join(\" \")", made)
                    == "true linearizable 3 true true", made)
            let path = try Shell.jq(".data.path", made)
            let unpacked = Shell.run(
                """
                cd '\(directory)' && gzip -t '\(path)' && sha256sum -c *.sha256 && mkdir out && tar -xzf '\(path)' -C out \
                && cd out/pgbastion-backup && sha256sum -c checksums.sha256 && cat state/fsm.json && readlink '\(directory)/latest.tar.gz' \
                && stat -c %a '\(path)'
                """)
            try hold(unpacked.status == 0 && unpacked.output.hasSuffix("600\n"), unpacked.output + unpacked.errors)
            for part in ["\"primary\":{\"appointed\"", "\"node1\"", "\"node3\"", "health_history", "directives"] {
                try hold(unpacked.output.contains(part), "no \(part) in the state")
            }
            let shown = ClientProgram.run("backup show latest --dir '\(directory)'", on: node, of: sandbox)
            for part in ["PostgreSQL data", "WAL", "votes and terms", "members", "config/pgbastion.yaml"] {
                try hold(shown.output.contains(part), "\(part) is not in: \(shown.output)\(shown.errors)")
            }
            let verified = ClientProgram.run("backup verify --dir '\(directory)'", on: node, of: sandbox)
            try hold(verified.status == 0 && verified.output.contains("passed"), verified.output + verified.errors)
            let drilled = try ClientProgram.json("backup drill --dir '\(directory)'", on: node, of: sandbox)
            try hold(try Shell.jq(".data.ok", drilled) == "true", drilled)
        }
    }

    @Test func `cron: with -q a success is silent, ping and textfile failures change nothing (B14)`() async throws {
        try await backedUp("cron") { sandbox, directory in
            let node = sandbox.layout.nodes[0]
            let quiet = ClientProgram.run("backup -q --dir '\(directory)'", on: node, of: sandbox)
            try hold(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty, "\(quiet)")
            let config = sandbox.layout.configuration(node)
            let copy = directory + "/with-monitoring.yaml"
            _ = Shell.run(
                "cp '\(config)' '\(copy)'; printf 'backup:\\n  ping_url: http://127.0.0.1:1/x\\n  textfile: /proc/none/x.prom\\n' >> '\(copy)'"
            )
            let monitored = Shell.run("'\(sandbox.program)' backup -q --dir '\(directory)' --config '\(copy)' < /dev/null")
            try hold(monitored.status == 0 && monitored.output.isEmpty && monitored.errors.isEmpty, "\(monitored)")
        }
    }

    @Test func `two at once: one stores, the other is told 8; three nodes with --once-per store one (B3)`() async throws {
        try await backedUp("concurrent") { sandbox, directory in
            let node = sandbox.layout.nodes[0]
            let held = Shell.run(
                "mkdir -p '\(directory)' && chmod 700 '\(directory)' && exec 9>'\(directory)/.lock' && flock 9 && "
                    + "PGBASTION_CONFIG='\(sandbox.layout.configuration(node))' '\(sandbox.program)' backup --dir '\(directory)' < /dev/null"
            )
            try hold(held.status == 8 && held.errors.contains("another backup"), "\(held)")
            var skipped = 0
            for node in sandbox.layout.nodes {
                let made = try ClientProgram.json("backup create --once-per 1h --series hourly --dir '\(directory)'", on: node, of: sandbox)
                if try Shell.jq(".data.skipped", made) != "null" { skipped += 1 }
            }
            try hold(skipped == 2, "\(skipped) of three nodes skipped")
            let listed = try ClientProgram.json("backups --series hourly --dir '\(directory)'", on: node, of: sandbox)
            try hold(try Shell.jq(".data.backups | length", listed) == "1", listed)
            let leaders = try sandbox.layout.nodes.filter { node in
                let made = try ClientProgram.json("backup create --if-leader --series led --dir '\(directory)'", on: node, of: sandbox)
                return try Shell.jq(".data.skipped", made) == "null"
            }
            try hold(leaders.count == 1, "\(leaders.count) nodes took themselves for the leader")
        }
    }

    @Test func `the catalogue reaches every node: status, state, metrics and doctor (P14)`() async throws {
        try await backedUp("catalogue") { sandbox, directory in
            let (first, third) = (sandbox.layout.nodes[0], sandbox.layout.nodes[2])
            let made = try ClientProgram.json("backup create --dir '\(directory)'", on: first, of: sandbox)
            let id = try Shell.jq(".data.id", made)
            try await sandbox.wait("the catalogue of \(third.name)", seconds: 20) {
                let state = ClientProgram.run("state export --no-forward -o json", on: third, of: sandbox)
                return state.output.contains(id)
            }
            let metrics = ClientProgram.run("metrics --node node3 --grep pgbastion_backup_", on: first, of: sandbox)
            for name in ["last_success_timestamp_seconds", "count", "verified", "raft_index", "last_exit_code"] {
                try hold(metrics.output.contains("pgbastion_backup_\(name){"), "no \(name): \(metrics.output)\(metrics.errors)")
            }
            let status = ClientProgram.run("status", on: third, of: sandbox)
            try hold(status.output.contains("backup "), status.output)
            let doctor = try ClientProgram.json("doctor backup", on: first, of: sandbox, status: 2)
            let fresh = try Shell.jq(".data.categories[].checks[] | select(.id == \"backup.fresh\") | .result", doctor)
            try hold(fresh == "ok", doctor)
        }
    }

    @Test func `retention removes what no rule keeps, and pins stay (P13)`() async throws {
        try await backedUp("retention") { sandbox, directory in
            let node = sandbox.layout.nodes[0]
            for _ in 0..<2 { _ = try ClientProgram.json("backup create --no-prune --dir '\(directory)'", on: node, of: sandbox) }
            let kept = ClientProgram.run("backup keep latest --note why --dir '\(directory)'", on: node, of: sandbox)
            try hold(kept.status == 0, kept.errors)
            let plan = try ClientProgram.json("backup prune --dry-run --dir '\(directory)'", on: node, of: sandbox)
            try hold(plan.contains("R9") && plan.contains("R10"), plan)
            let refused = ClientProgram.run("backup prune --dir '\(directory)'", on: node, of: sandbox)
            try hold(refused.status == 64, "\(refused)")
            let pruned = ClientProgram.run("backup prune --yes --dir '\(directory)'", on: node, of: sandbox)
            try hold(pruned.status == 0, pruned.errors)
        }
    }

    @Test func `killed at every step, the directory holds only whole archives (C1)`() async throws {
        try await backedUp("killed") { sandbox, directory in
            let node = sandbox.layout.nodes[0]
            _ = try ClientProgram.json("backup create --dir '\(directory)'", on: node, of: sandbox)
            for step in [
                "locked", "preflight", "fetched", "partialWritten", "verified", "renamed", "directorySynced", "sealed", "linked", "copied",
                "pruned", "recorded", "measured", "pinged",
            ] {
                let dead = ClientProgram.run(
                    "backup create --dir '\(directory)'", on: node, of: sandbox, environment: ["PGBASTION_TEST_KILL_AT": step])
                try hold(dead.status == 137, "\(step): \(dead)")
                let listed = try ClientProgram.json("backup list --dir '\(directory)'", on: node, of: sandbox)
                try hold(try Shell.jq("[.data.backups[].status] | unique | join(\" \")", listed) == "good", "\(step): \(listed)")
                let latest = ClientProgram.run("backup verify latest --dir '\(directory)'", on: node, of: sandbox)
                try hold(latest.status == 0, "\(step): \(latest)")
            }
            _ = try ClientProgram.json("backup create --dir '\(directory)'", on: node, of: sandbox)
            let all = ClientProgram.run("backup verify --all --dir '\(directory)'", on: node, of: sandbox)
            try hold(all.status == 0, all.output + all.errors)
        }
    }

    @Test func `offline: committed state only, nothing changed; without a leader 5 with the hint (P11)`() async throws {
        try await backedUp("offline") { sandbox, directory in
            let nodes = sandbox.layout.nodes
            let running = ClientProgram.run("backup create --offline --dir '\(directory)'", on: nodes[2], of: sandbox)
            try hold(running.status == 3 && running.errors.contains("node_running"), "\(running)")
            for node in [nodes[1], nodes[2]] { sandbox.signal(SIGKILL, .daemon, node) }
            try await sandbox.wait("node2 and node3 are down", seconds: 20) {
                ClientProgram.run("backup create --dir '\(directory)' --no-prune", on: nodes[0], of: sandbox).status == 5
            }
            let refused = ClientProgram.run("backup create --dir '\(directory)'", on: nodes[0], of: sandbox)
            try hold(refused.errors.contains("--stale"), refused.errors)
            let stale = try ClientProgram.json("backup create --stale --series stale --dir '\(directory)'", on: nodes[0], of: sandbox)
            try hold(try Shell.jq(".data.mode", stale) == "stale", stale)
            let raft = "\(sandbox.layout.root(nodes[2]))"
            let before = Shell.run("cd '\(raft)' && find . -path '*raft*' -type f | sort | xargs sha256sum")
            let made = try ClientProgram.json("backup create --offline --series off --dir '\(directory)'", on: nodes[2], of: sandbox)
            try hold(try Shell.jq(".data | [.mode, .verified] | map(tostring) | join(\" \")", made) == "offline true", made)
            let after = Shell.run("cd '\(raft)' && find . -path '*raft*' -type f | sort | xargs sha256sum")
            try hold(before.output == after.output && before.output.contains("raft.db"), "\(before.output) -> \(after.output)")
            for node in [nodes[1], nodes[2]] { try sandbox.startDaemon(node) }
            try await sandbox.settled()
        }
    }
}

/// Runs a scenario on a cluster at rest, with a directory for archives that is removed afterwards.
func backedUp(_ name: String, _ body: (Sandbox, String) async throws -> Void) async throws {
    try await monitored(name) { sandbox in
        let directory = "/tmp/pgbastion-test-\(getpid())-archives-\(UInt32.random(in: .min ... .max))"
        do {
            try await body(sandbox, directory)
            _ = Shell.run("rm -rf '\(directory)'")
        } catch {
            _ = Shell.run("rm -rf '\(directory)'")
            throw error
        }
    }
}
