import Bastion
import Glibc
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

        @Test func `H09 10,000 connections and slow clients delay no lease and no commit`() async throws {
            try await Scene.play("10,000 API connections", touching: .nothing, longestGap: .seconds(3)) { scene in
                let sandbox = scene.sandbox
                let crowd = Crowd(count: 10_000, port: scene.primary.apiPort)
                Report.line("\(crowd.opened) connections to the API of \(scene.primary.name) are open or waiting")
                try hold(crowd.opened >= 5000, "only \(crowd.opened) connections could be made here")
                var least = 10.0
                var slowest = Duration.zero
                let end = ContinuousClock.now + .seconds(12)
                while ContinuousClock.now < end {
                    crowd.drip()
                    let began = ContinuousClock.now
                    let page = Shell.run("curl -s -m 5 http://127.0.0.1:\(scene.primary.metricsPort)/metrics")
                    slowest = max(slowest, ContinuousClock.now - began)
                    let line = page.output.split(separator: "\n").first { $0.hasPrefix("pgbastion_primary_lease_remaining_seconds") }
                    let left = try #require(line?.split(separator: " ").last.flatMap { Double($0) }, "no metrics page: \(page.errors)")
                    least = min(least, left)
                    let local = ClientProgram.run("leader", on: scene.primary, of: sandbox)
                    try hold(local.status == 0, "the unix socket does not answer: \(local)")
                }
                crowd.leave()
                Report.line("with the crowd: lease at least \(least) s, metrics page at most \(Report.seconds(slowest))")
                try hold(least > 0.5, "the lease was down to \(least) s")
                let after = try await sandbox.rest(scene.primary)
                try hold(after.primary?.token == scene.token, "another primary was appointed")
                try await sandbox.wait("the API to answer over TCP again", seconds: 30) {
                    Shell.run("curl -sf -m 3 http://127.0.0.1:\(scene.primary.apiPort)/livez").status == 0
                }
            }
        }
    }
}

/// Many clients that connect and hardly say anything.
private final class Crowd {
    private var sockets: [Int32] = []
    private var next = 0
    var opened: Int { sockets.count }

    init(count: Int, port: Int) {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = min(limit.rlim_max, rlim_t(count + 2000))
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7f00_0001).bigEndian)
        for _ in 0..<count {
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard handle >= 0 else { break }
            sockets.append(handle)
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    /// Some of them send one more byte of a request that never ends.
    func drip() {
        let text = Array("GET /raft/state HTTP/1.1\r\nX-Slow: ".utf8)
        for handle in sockets { _ = send(handle, [text[min(next, text.count - 1)]], 1, Int32(MSG_NOSIGNAL)) }
        next += 1
    }

    func leave() {
        for handle in sockets { close(handle) }
        sockets = []
    }
}
