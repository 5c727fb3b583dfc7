import Bastion
import ClusterModel
import FoundationEssentials
import Glibc

/// What the scenarios ask of a sandbox beyond its own verbs.
extension Sandbox {
    /// Asks a daemon to end, and returns when it is gone; its guard and server stay.
    func stopDaemon(_ node: SandboxNode) async throws {
        signal(SIGTERM, .daemon, node)
        try await wait("the end of \(node.name)'s daemon", seconds: 30) { self.daemonPID(node) == nil }
    }

    /// The parts of `status` that say whether a cluster is at rest.
    struct Rest: Decodable {
        struct Node: Decodable {
            var name: String
            var healthy: Bool?
            var role: String
            var state: String
            var standing: String?
        }
        struct Primary: Decodable {
            var name: String?
            var phase: String?
            var token: UInt64?
            var timeline: UInt32?
        }
        struct Synchronous: Decodable {
            var mode: String
            var degraded: Bool
            var members: [String]
        }
        struct Paused: Decodable { var active: Bool }
        struct Raft: Decodable {
            var leader_id: String
            var voters: Int
        }
        struct Operation: Decodable { var id: String }
        var nodes: [Node]
        var primary: Primary?
        var synchronous: Synchronous
        var paused: Paused
        var raft: Raft
        var operation: Operation?
    }

    func rest(_ node: SandboxNode) async throws -> Rest {
        struct Envelope: Decodable { var data: Rest }
        let answer = try await call("status", through: node)
        return try JSONDecoder().decode(Envelope.self, from: Data(answer.text.utf8)).data
    }

    /// The nodes that run or ran: those with Raft state.
    var members: [SandboxNode] { layout.nodes.filter { access("\(layout.root($0))/raft/stable.db", F_OK) == 0 } }

    /// Every member runs, one primary serves, every replica streams and counts for commits, nothing is paused or in progress.
    ///
    /// - Parameters:
    ///   - restarting: A daemon that ended is started again, as systemd would.
    ///   - stableFor: At rest for so long. A change of the synchronous set is settled about a second after it shows (SE9), and
    ///     until then only the old and the new set together prove that nothing is lost.
    func settled(restarting: Bool = false, stableFor: Duration = .zero, seconds: Int = 60) async throws {
        var last = ""
        var since = ContinuousClock.now
        do {
            try await wait("a cluster at rest", seconds: seconds) {
                for node in members where daemonPID(node) == nil {
                    guard restarting else { throw ScenarioFailure("the daemon of \(node.name) does not run") }
                    try startDaemon(node)
                }
                for node in members {
                    let now = try await rest(node)
                    if let reason = restless(now) {
                        last = "\(node.name) says: \(reason)"
                        since = ContinuousClock.now
                        return false
                    }
                }
                return ContinuousClock.now - since >= stableFor
            }
        } catch {
            throw ScenarioFailure("\(error); \(last)")
        }
    }

    private func restless(_ now: Rest) -> String? {
        let replicas = members.count - 1
        guard now.primary?.phase == "serving" else { return "no serving primary" }
        if let operation = now.operation { return "operation \(operation.id) runs" }
        if now.paused.active { return "paused" }
        for node in now.nodes where node.healthy != true { return "\(node.name) is \(node.role) \(node.state), not healthy" }
        guard now.nodes.count == members.count else { return "\(now.nodes.count) nodes are known" }
        guard now.raft.voters == members.count else { return "\(now.raft.voters) voters" }
        // With fewer than two replicas no commit waits for one, unless the operator says so (SE7).
        guard replicas < 2 || now.synchronous.mode == "quorum" && !now.synchronous.degraded && now.synchronous.members.count == replicas
        else {
            return "synchronous \(now.synchronous.mode) of \(now.synchronous.members)"
        }
        for node in now.nodes where node.role == "replica" && node.state != "streaming" { return "\(node.name) is \(node.state)" }
        return nil
    }

    /// Lets time pass.
    func lasts(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        try await wait("the end of \(duration)", seconds: Int(duration.components.seconds) + 5) { ContinuousClock.now >= end }
    }
}
