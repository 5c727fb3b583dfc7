import Bastion
import Glibc
import PostgresControl
import PostgresTestKit
import Testing

extension ScenarioTests.ThreeNodes {
    /// Requests as they travel through the cluster, and more of them than it serves.
    @Suite(.serialized) struct Requests {
        @Test func `L05 a switchover sent to a follower leaves its request id in the log of every node`() async throws {
            try await Scene.play("a switchover sent to a follower", touching: .nothing, longestGap: .seconds(10)) { scene in
                let sandbox = scene.sandbox
                let leader = try await sandbox.rest(scene.primary).raft.leader_id
                let follower = try sandbox.node(sandbox.members.map(\.name).first { $0 != leader } ?? "")
                let id = "abc123-\(getpid())-\(scene.token)"
                let answer = Shell.run(
                    "curl -s -m 90 -X POST 'http://127.0.0.1:\(follower.apiPort)/cluster/switchover?wait=60s' "
                        + "-H 'Authorization: Bearer \(sandbox.layout.token)' -H 'X-Request-ID: \(id)' "
                        + "-D - -d '{\"to\":\"\(scene.replica.name)\"}'")
                try hold(answer.output.contains("switchover succeeded"), "\(answer)")
                try hold(answer.output.lowercased().contains("x-request-id: \(id)"), "\(answer)")
                try await sandbox.settled()
                for node in sandbox.members {
                    let lines = Shell.run("grep -c 'request_id=\(id)' '\(sandbox.layout.log(node))'").output.trimmed
                    try hold((Int(lines) ?? 0) > 0, "\(node.name) has no line with request_id=\(id)")
                }
                let audit = Shell.run("grep 'request_id=\(id)' '\(sandbox.layout.log(follower))'").output
                try hold(audit.contains("api.change") && audit.contains("127.0.0.1"), "\(audit)")
            }
        }

        @Test func `H09 10,000 clients that say hardly anything, at the API and at the proxy, delay no lease and no commit`() async throws {
            try await Scene.play("10,000 clients that say hardly anything", touching: .nothing) { scene in
                let quiet = try Siege(scene)
                try await quiet.lasts(.seconds(3))
                Report.line("before they come: \(quiet)")
                try await besiegeAPI(scene)
                try await besiegeProxy(scene)
                let after = try await scene.sandbox.rest(scene.primary)
                try hold(after.primary?.token == scene.token, "another primary was appointed")
            }
        }

        /// The listener serves 1,000 connections; the kernel keeps the next ones, and lets the rest try again.
        private func besiegeAPI(_ scene: Scene) async throws {
            let siege = try Siege(scene)
            let count = Crowd.largest(of: 10_000)
            let crowd = Crowd(count: count, port: scene.primary.apiPort, saying: Array("GET /raft/state HTTP/1.1\r\nX-Slow: s".utf8))
            defer { crowd.leave() }
            // Whoever is not served within the limit of a request's head is let go, so that more than the first 1,000 get in.
            try await siege.lasts(.seconds(6), crowd) { $0.reached >= min(count, 2_000) }
            let census = crowd.census()
            Report.line("API, \(count) clients: \(census); the daemon held \(siege.mostFiles) of them; \(siege)")
            try hold(census.all == count && census.missing == 0 && census.failed.isEmpty, "not all could try: \(census)")
            try hold(siege.mostFiles < 1_200, "the listener held \(siege.mostFiles) connections, its limit is 1,000")
            try siege.held()
            crowd.leave()
            try await scene.sandbox.wait("the API to answer over TCP again", seconds: 60) {
                Shell.run("curl -sf -m 3 http://127.0.0.1:\(scene.primary.apiPort)/livez").status == 0
            }
        }

        /// Every client gets in; one whose startup packet is not complete within 10 s is sent away.
        private func besiegeProxy(_ scene: Scene) async throws {
            let siege = try Siege(scene)
            let count = Crowd.largest(of: 10_000)
            // The first bytes of a startup packet of 300 bytes; what follows is never enough.
            let crowd = Crowd(count: count, port: scene.primary.primaryPort, saying: [0, 0, 1, 44, 0, 3, 0, 0, 117])
            defer { crowd.leave() }
            try await siege.lasts(.seconds(4), crowd) { $0.reached == count && siege.accepted >= count }
            let census = crowd.census()
            Report.line(
                "proxy, \(count) clients: \(census); the proxy accepted \(siege.accepted), the daemon held \(siege.mostFiles) at once; \(siege)"
            )
            try hold(census.all == count && census.missing == 0 && census.failed.isEmpty, "not all got in: \(census)")
            try siege.held()
            crowd.leave()
            try await scene.sandbox.wait("a new session through the proxy", seconds: 60) {
                do {
                    return try SimpleQuery.column("SELECT 1", on: scene.sandbox.clientConnection(scene.primary)) == ["1"]
                } catch {
                    return false
                }
            }
        }
    }
}
