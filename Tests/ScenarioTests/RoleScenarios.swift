import Bastion
import Glibc
import PostgresControl
import Testing

extension ScenarioTests.ThreeNodes {
    /// Planned and ordered changes of the primary (P06, P07, P08).
    @Suite(.serialized) struct Roles {
        @Test func `a switchover to a named node under load loses nothing (P07)`() async throws {
            try await Scene.play("switchover to a named node", touching: .nothing) { scene in
                let answer = try await scene.sandbox.call(
                    "switchover", "{\"to\":\"\(scene.replica.name)\"}", through: scene.primary, wait: .seconds(60))
                try hold(answer.ok, answer.text)
                try hold(try await scene.sandbox.primary() == scene.replica, "another node became the primary")
            }
        }

        @Test func `a switchover without a name takes the best replica`() async throws {
            try await Scene.play("switchover without a name", touching: .nothing) { scene in
                let answer = try await scene.sandbox.call("switchover", through: scene.replicas[1], wait: .seconds(60))
                try hold(answer.ok, answer.text)
                try await scene.takeover()
            }
        }

        @Test func `a switchover to a replica that lags is refused and changes nothing (replica.caught_up)`() async throws {
            try await Scene.play("switchover to a lagging replica", touching: .nothing) { scene in
                let behind = scene.replica
                // The receiver stands still while the primary writes 12 MiB.
                let receivers = try SimpleQuery.column(
                    "SELECT pid FROM pg_stat_wal_receiver", on: scene.sandbox.adminConnection(behind)
                ).compactMap { Int32($0) }
                try hold(receivers.count == 1, "receivers: \(receivers)")
                for pid in receivers { kill(pid, SIGSTOP) }
                defer { for pid in receivers { kill(pid, SIGCONT) } }
                _ = try SimpleQuery.column(
                    "CREATE TABLE IF NOT EXISTS filler (t text); INSERT INTO filler SELECT repeat(md5(g::text), 40) FROM generate_series(1, 12000) g",
                    on: scene.sandbox.adminConnection(scene.primary))
                try await scene.sandbox.wait("the lag to be known", seconds: 20) {
                    let lag = try ClientProgram.json("lag", on: scene.primary, of: scene.sandbox)
                    let bytes = try Shell.jq(".data.replicas[] | select(.name == \"\(behind.name)\").lag_bytes", lag)
                    return Int(bytes) ?? 0 > 10 << 20
                }
                let result = ClientProgram.run("switchover \(behind.name) --yes", on: scene.primary, of: scene.sandbox)
                try hold(result.status == 3 && result.errors.contains("replica.caught_up"), "\(result)")
                try hold(try await scene.sandbox.primary() == scene.primary, "the primary changed")
            }
        }

        @Test func `a switchover to an unknown node is not found`() async throws {
            let sandbox = try await SuiteCluster.required().sandbox()
            let result = ClientProgram.run("switchover node77 --yes", on: sandbox.layout.nodes[0], of: sandbox)
            #expect(result.status == 10, "\(result)")
        }

        @Test func `a failover with a live primary fences it before the promotion`() async throws {
            try await Scene.play("failover with a live primary", touching: .nothing) { scene in
                let answer = try await scene.sandbox.call(
                    "failover", "{\"to\":\"\(scene.replica.name)\"}", through: scene.replicas[1], wait: .seconds(60))
                try hold(answer.ok, answer.text)
                try hold(try await scene.sandbox.primary() == scene.replica, "another node became the primary")
            }
        }

        @Test func `while paused nobody is promoted, a manual failover works, and resume lets failovers happen again (P08)`() async throws {
            try await Scene.play("paused: primary killed, manual failover", touching: .primary, longestGap: .seconds(40)) { scene in
                let sandbox = scene.sandbox
                let pause = try await sandbox.call("pause", "{\"reason\":\"scenario\"}", through: scene.primary)
                try hold(pause.ok, pause.text)
                try await sandbox.wait("every node to know the pause", seconds: 10) {
                    for node in sandbox.members where try await !sandbox.rest(node).paused.active { return false }
                    return true
                }
                sandbox.killNode(scene.primary)
                let killed = ContinuousClock.now
                try await sandbox.wait("12 s without a promotion", seconds: 20) {
                    let primary = try await sandbox.state(scene.replica).primary?.name
                    try hold(primary == nil || primary == scene.primary.name, "\(primary ?? "") was promoted while paused")
                    return ContinuousClock.now - killed > .seconds(12)
                }
                // Without a name: under load only one of the two may have the dead primary's last record (D19).
                let answer = try await sandbox.call("failover", through: scene.replicas[1], wait: .seconds(60))
                try hold(answer.ok, answer.text)
                try await scene.takeover()
                try await scene.commits(20)
                let resume = try await sandbox.call("resume", through: scene.replica)
                try hold(resume.ok, resume.text)
            }
        }

        @Test func `a primary that died during a pause is failed over after resume (P08)`() async throws {
            try await Scene.play("paused: primary killed, then resume", touching: .primary, longestGap: .seconds(40)) { scene in
                let sandbox = scene.sandbox
                let pause = try await sandbox.call("pause", through: scene.primary)
                try hold(pause.ok, pause.text)
                sandbox.killNode(scene.primary)
                try await scene.lasts(.seconds(3))
                let resume = try await sandbox.call("resume", through: scene.replica)
                try hold(resume.ok, resume.text)
                try await scene.takeover()
                try await scene.commits(20)
            }
        }
    }
}
