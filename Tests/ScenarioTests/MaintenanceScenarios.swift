import Bastion
import Glibc
import PostgresControl
import Testing

extension ScenarioTests.ThreeNodes {
    /// Drain, restart, holds, fence and rejoin, as an operator orders them.
    @Suite(.serialized) struct Maintenance {
        @Test func `a drained replica loses its sessions and gets no new ones until it is put back (PX3, P29)`() async throws {
            try await Scene.play("a replica drained", touching: .nothing) { scene in
                let (sandbox, drained) = (scene.sandbox, scene.replica)
                var sessions: [ReaderSession] = []
                try await sandbox.wait("a reader on \(drained.name)", seconds: 20) {
                    for node in sandbox.members { sessions.append(try ReaderSession(sandbox.clientConnection(node, replica: true))) }
                    return try sessions.contains { try $0.serverPort == drained.postgresPort }
                }
                let mine = try sessions.filter { try $0.serverPort == drained.postgresPort }
                let answer = try ClientProgram.json("drain \(drained.name) --timeout 5s", on: scene.primary, of: sandbox)
                try hold(try Shell.jq(".data.drained", answer) == "true", answer)
                try hold(try Shell.jq(".data.remaining_sessions", answer) == "0", answer)
                for session in mine { try hold(session.isEnded, "a session to \(drained.name) is left") }
                for _ in 0..<3 {
                    for node in sandbox.members {
                        let port = try ReaderSession(sandbox.clientConnection(node, replica: true)).serverPort
                        try hold(port != drained.postgresPort, "\(node.name) leads a new session to \(drained.name)")
                    }
                }
                let again = try ClientProgram.json("drain \(drained.name)", on: scene.primary, of: sandbox)
                try hold(try Shell.jq(".data.already_so", again) == "true", again)
                let refused = ClientProgram.run("drain \(scene.primary.name)", on: scene.primary, of: sandbox)
                try hold(refused.status == 3 && refused.errors.contains("node.not_primary"), "\(refused)")
                _ = try ClientProgram.json("undrain \(drained.name)", on: scene.primary, of: sandbox)
                try await sandbox.wait("readers on \(drained.name) again", seconds: 20) {
                    try ReaderSession(sandbox.clientConnection(drained, replica: true)).serverPort == drained.postgresPort
                }
            }
        }

        @Test func `PostgreSQL is restarted on a replica and, in place, on the primary; nobody is promoted (5_2)`() async throws {
            try await Scene.play("PostgreSQL restarted on a replica and on the primary", touching: .nothing, longestGap: .seconds(20)) {
                scene in
                let sandbox = scene.sandbox
                for node in [scene.replica, scene.primary] {
                    let before = sandbox.postmasterPID(node)
                    let answer = try ClientProgram.json("node restart \(node.name) --yes", on: scene.replicas[1], of: sandbox)
                    try hold(try Shell.jq(".data.restarted", answer) == "true", answer)
                    let downtime = Double(try Shell.jq(".data.downtime_seconds", answer)) ?? -1
                    try hold(downtime > 0 && downtime < 15, answer)
                    try hold(before != nil && sandbox.postmasterPID(node) != before, "the server of \(node.name) was not restarted")
                    Report.line("PostgreSQL on \(node.name) did not answer for \(downtime) s")
                    try await sandbox.settled()
                }
                try hold(try await sandbox.primary() == scene.primary, "the primary changed")
                try hold(try await sandbox.rest(scene.primary).primary?.token == scene.token, "another token was given")
            }
        }

        @Test func `the daemon of the primary's node is restarted by order, and PostgreSQL serves on (4_8)`() async throws {
            try await Scene.play("daemon of the primary restarted by order", touching: .primary, longestGap: .seconds(5)) { scene in
                let sandbox = scene.sandbox
                let postmaster = sandbox.postmasterPID(scene.primary)
                async let answer = sandbox.call(
                    "node.restart", "{\"node\":\"\(scene.primary.name)\",\"daemon\":true}", through: scene.replica, wait: .seconds(60))
                try await scene.isGone(.daemon, scene.primary)
                // Here nothing else starts it again; elsewhere systemd does.
                try sandbox.startDaemon(scene.primary)
                let text = try await answer.text
                try hold(try Shell.jq(".data.restarted", text) == "true", text)
                try hold(try Shell.jq(".data.hold_seconds", text) == "60", text)
                try await sandbox.settled()
                try await scene.nothingChanged(postmaster: postmaster)
                try hold(try await sandbox.rest(scene.primary).primary?.token == scene.token, "another token was given")
            }
        }

        @Test func `an ordered restart hold outlasts the daemon, and is released (LE12)`() async throws {
            try await Scene.play("restart hold, daemon killed for longer than a lease", touching: .primary, longestGap: .seconds(5)) {
                scene in
                let sandbox = scene.sandbox
                let postmaster = sandbox.postmasterPID(scene.primary)
                let refused = ClientProgram.run("node restart-hold \(scene.replica.name)", on: scene.replica, of: sandbox)
                try hold(refused.status == 3 && refused.errors.contains("node.is_primary"), "\(refused)")
                let taken = try ClientProgram.json("node restart-hold \(scene.primary.name) --for 40s", on: scene.replica, of: sandbox)
                try hold(try Shell.jq(".data.active", taken) == "true", taken)
                try hold(try Shell.jq(".data.until", taken).hasSuffix("Z"), taken)
                sandbox.signal(SIGKILL, .daemon, scene.primary)
                try await scene.lasts(.seconds(6))
                try hold(sandbox.postmasterPID(scene.primary) == postmaster, "the server ended during the hold")
                try sandbox.startDaemon(scene.primary)
                try await sandbox.settled()
                let released = try ClientProgram.json("node restart-release \(scene.primary.name)", on: scene.replica, of: sandbox)
                try hold(try Shell.jq(".data.active", released) == "false", released)
                let again = try ClientProgram.json("node restart-release \(scene.primary.name)", on: scene.replica, of: sandbox)
                try hold(try Shell.jq(".data.already_so", again) == "true", again)
                try await scene.nothingChanged(postmaster: postmaster)
            }
        }

        @Test func `a fenced primary is replaced, stays fenced over restarts, and is a candidate again by order (D15)`() async throws {
            try await Scene.play("the primary fenced", touching: .primary) { scene in
                let sandbox = scene.sandbox
                let answer = try ClientProgram.json(
                    "node fence \(scene.primary.name) --yes --reason scenario", on: scene.replica, of: sandbox)
                try hold(try Shell.jq(".data.method", answer) == "guard_confirmation", answer)
                try await scene.takeover()
                try await scene.commits(20)
                sandbox.signal(SIGKILL, .daemon, scene.primary)
                try await scene.isGone(.daemon, scene.primary)
                try sandbox.startDaemon(scene.primary)
                try await sandbox.wait("\(scene.primary.name) to stream as a fenced replica", seconds: 60) {
                    try await sandbox.rest(scene.replica).nodes.contains {
                        $0.name == scene.primary.name && $0.standing == "fenced" && $0.state == "streaming"
                    }
                }
                let refused = ClientProgram.run("switchover \(scene.primary.name) --yes", on: scene.replica, of: sandbox)
                try hold(refused.status == 3 && refused.errors.contains("fenced"), "\(refused)")
                let lifted = try ClientProgram.json("node unfence \(scene.primary.name)", on: scene.replica, of: sandbox)
                try hold(try Shell.jq(".data.fenced", lifted) == "false", lifted)
            }
        }

        @Test func `a pause lengthens the lease: a short loss of quorum fences nobody (4_11)`() async throws {
            try await Scene.play("paused: quorum lost for longer than a usual lease", touching: .primary, longestGap: .seconds(15)) {
                scene in
                let sandbox = scene.sandbox
                let postmaster = sandbox.postmasterPID(scene.primary)
                let pause = try await sandbox.call("pause", "{\"reason\":\"scenario\"}", through: scene.primary)
                try hold(pause.ok, pause.text)
                // The next renewals carry the longer lease.
                try await scene.lasts(.seconds(3))
                for node in scene.replicas { sandbox.signal(SIGSTOP, .daemon, node) }
                try await scene.lasts(.seconds(5))
                for node in scene.replicas { sandbox.signal(SIGCONT, .daemon, node) }
                try await sandbox.wait("a leader", seconds: 30) { try await sandbox.state(scene.primary).primary?.phase == "serving" }
                let resume = try await sandbox.call("resume", through: scene.primary)
                try hold(resume.ok, resume.text)
                try await sandbox.settled()
                try await scene.nothingChanged(postmaster: postmaster)
                try hold(try await sandbox.rest(scene.primary).primary?.token == scene.token, "another token was given")
            }
        }

        @Test func `a failover to a node that lacks the dead primary's last record is refused at once (loss_within_limit)`() async throws {
            try await Scene.play("failover to a replica that lags, the primary dead", touching: .primary, longestGap: .seconds(60)) {
                scene in
                let (sandbox, behind) = (scene.sandbox, scene.replica)
                let pause = try await sandbox.call("pause", through: scene.primary)
                try hold(pause.ok, pause.text)
                let receivers = try SimpleQuery.column("SELECT pid FROM pg_stat_wal_receiver", on: sandbox.adminConnection(behind))
                for pid in receivers.compactMap({ Int32($0) }) { kill(pid, SIGSTOP) }
                try await scene.commits(50)
                sandbox.killNode(scene.primary)
                try await scene.lasts(.seconds(4))
                let began = ContinuousClock.now
                let result = ClientProgram.run("failover \(behind.name) --yes", on: scene.replicas[1], of: sandbox)
                try hold(result.status == 3 && result.errors.contains("loss_within_limit"), "\(result)")
                try hold(ContinuousClock.now - began < .seconds(15), "the refusal took \(ContinuousClock.now - began)")
                for pid in receivers.compactMap({ Int32($0) }) { kill(pid, SIGCONT) }
                let resume = try await sandbox.call("resume", through: behind)
                try hold(resume.ok, resume.text)
                try await scene.takeover()
                try await scene.commits(20)
            }
        }

        @Test func `a node whose Raft directory was lost is back by one rejoin (P10, P15, P16)`() async throws {
            try await Scene.play("a replica's Raft directory lost, then rejoin", touching: .replica) { scene in
                let (sandbox, lost) = (scene.sandbox, scene.replica)
                sandbox.killNode(lost)
                let wiped = Shell.run("rm -rf '\(sandbox.layout.root(lost))/raft'")
                try hold(wiped.status == 0, "\(wiped)")
                // It may have led: until another node does, the request cannot be passed on.
                try await sandbox.wait("the rejoin to be refused", seconds: 20) {
                    let unreachable = ClientProgram.run("rejoin \(lost.name)", on: scene.primary, of: sandbox)
                    return unreachable.status == 3 && unreachable.errors.contains("peer.reachable")
                }
                try sandbox.startDaemon(lost)
                var answer = ""
                try await sandbox.wait("the rejoin of \(lost.name)", seconds: 60) {
                    answer = try ClientProgram.json("rejoin \(lost.name)", on: scene.primary, of: sandbox)
                    return true
                }
                try hold(try Shell.jq(".data.suffrage", answer) == "voter", answer)
                try await sandbox.settled()
                let again = try ClientProgram.json("rejoin \(lost.name)", on: scene.primary, of: sandbox)
                try hold(try Shell.jq(".data.already_so", again) == "true", again)
            }
        }
    }
}
