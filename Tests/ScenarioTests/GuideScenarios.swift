import Bastion
import Glibc
import PostgresControl
import PostgresTestKit
import Testing

extension ScenarioTests {
    /// The operations guide, section by section, on one growing cluster. Each scenario makes the cluster it needs.
    @Suite(.serialized, .unstartedNodes("guide", nodes: 4)) struct GuideProcedures {
        @Test func `the copies of the guide's blocks equal the guide, where it is present`() throws {
            guard !GuideText.original.isEmpty else { return }
            for title in GuideText.titles {
                #expect(GuideText.sections[title] == GuideText.blocks(GuideText.section(title, of: GuideText.original)), "\(title)")
            }
        }

        @Test func `Cluster Bootstrap: the first node leads, the second one joins and streams (P01, P02, E03)`() async throws {
            try await procedure("Cluster Bootstrap") { guide in
                let (first, second) = (guide.sandbox.layout.nodes[0], guide.sandbox.layout.nodes[1])
                try guide.sandbox.startDaemon(first)
                let state = try guide.command("Cluster Bootstrap", 0, containing: "/raft/state")
                try await guide.sandbox.wait("\"state\": \"Leader\", \"is_leader\": true", seconds: 30) {
                    let shown = try guide.run(state, on: first)
                    return shown.contains("\"state\": \"Leader\"") && shown.contains("\"is_leader\": true")
                }
                try guide.sandbox.startDaemon(second)
                let add = try guide.command("Cluster Bootstrap", 1, containing: "/raft/add-peer")
                try await guide.sandbox.wait("node2 to be added", seconds: 30) {
                    try Shell.jq(".status", guide.run(add, on: first)) == "peer added"
                }
                let list = try guide.command("Cluster Bootstrap", 2, containing: "/raft/peers")
                try await guide.sandbox.wait("node2 among the voters", seconds: 30) {
                    try Shell.jq(".peers[] | select(.id == \"node2\").voter", guide.run(list, on: first)) == "true"
                }
                try await guide.sandbox.settled()
                try hold(try Shell.jq(".status", guide.run(add, on: first)) == "peer added", "a repeated add-peer is not 200")
                try await guide.sandbox.prepareClients()
            }
        }

        @Test func `Adding a Node: the third joins under load without a failed transaction (P04)`() async throws {
            try await procedure("Adding a Node") { guide in
                try await guide.formed(2)
                let third = guide.sandbox.layout.nodes[2]
                try guide.sandbox.startDaemon(third)
                let primary = try await guide.sandbox.primary()
                _ = try SimpleQuery.column("TRUNCATE \(CommitProbe.table)", on: guide.sandbox.adminConnection(primary))
                let probe = CommitProbe(connection: guide.sandbox.clientConnection(guide.sandbox.layout.nodes[0]))
                probe.start()
                defer { probe.stop() }
                let add = try guide.command("Adding a Node", 0, containing: "/raft/add-peer")
                let leader = try await guide.leader
                try await guide.sandbox.wait("node3 to be added", seconds: 30) {
                    try Shell.jq(".status", guide.run(add, on: leader)) == "peer added"
                }
                try await guide.sandbox.settled()
                let list = try guide.run(guide.command("Adding a Node", 1, containing: ".peers"), on: leader)
                try hold(try Shell.jq("length", list) == "3", list)
                let window = probe.window
                try hold(window.failures == 0 && window.acknowledged > 20, "\(window)")
                try hold(try probe.missing(on: guide.sandbox.adminConnection(primary)).isEmpty, "rows are lost")
            }
        }

        @Test func `Graceful Switchover: node2 becomes the primary (P07)`() async throws {
            try await procedure("Graceful Switchover") { guide in
                try await guide.formed(3)
                try await handOver(guide, from: "node2")
                let first = guide.sandbox.layout.nodes[0]
                let lag = try guide.run(guide.command("Graceful Switchover", 0, containing: "/cluster/replication"), on: first)
                try hold(try Shell.jq("[.replicas[] | select(.streaming)] | length", lag) == "2", lag)
                let answer = try guide.run(guide.command("Graceful Switchover", 1, containing: "/cluster/switchover"), on: first)
                try hold(try Shell.jq(".status", answer) == "switchover initiated", answer)
                let state = try guide.command("Graceful Switchover", 2, containing: "/cluster/state")
                try await guide.sandbox.wait("node2 to be the primary", seconds: 30) {
                    let shown = try guide.run(state, on: first)
                    return try Shell.jq("\"\\(.primary) \\(.operation)\"", shown) == "node2 null"
                }
                try await guide.sandbox.settled()
            }
        }

        @Test func `Pausing Auto-Failover: paused is the same on every node, and resume ends it (P08)`() async throws {
            try await procedure("Pausing Auto-Failover") { guide in
                try await guide.formed(3)
                let first = guide.sandbox.layout.nodes[0]
                let show = try guide.command("Pausing Auto-Failover", 1, containing: ".paused")
                for (number, path, wanted) in [(0, "/cluster/pause", "true"), (2, "/cluster/resume", "false")] {
                    _ = try guide.run(guide.command("Pausing Auto-Failover", number, containing: path), on: first)
                    try await guide.sandbox.wait(".paused to be \(wanted) on every node", seconds: 10) {
                        try guide.sandbox.members.allSatisfy { try guide.run(show, on: $0).trimmed == wanted }
                    }
                }
                try await guide.sandbox.settled()
            }
        }

        @Test func `Manual Failover: with a dead primary while paused, node2 is promoted (P06)`() async throws {
            try await procedure("Manual Failover") { guide in
                try await guide.formed(3)
                try await handOver(guide, from: "node2")
                let second = guide.sandbox.layout.nodes[1]
                let old = try await guide.sandbox.primary()
                let pause = try await guide.sandbox.call("pause", through: second)
                try hold(pause.ok, pause.text)
                guide.sandbox.killNode(old)
                let order = try guide.command("Manual Failover", 0, containing: "/cluster/failover")
                // Until the others have elected another leader than the dead node the answer is "unavailable".
                try await guide.sandbox.wait("the order to be accepted", seconds: 20) {
                    let answer = try guide.run(order, on: second)
                    guard try Shell.jq(".code", answer) != "unavailable" else { return false }
                    try hold(try Shell.jq(".status", answer) == "failover initiated", answer)
                    return true
                }
                let state = try guide.command("Manual Failover", 1, containing: "/cluster/state")
                try await guide.sandbox.wait("node2 to be the primary", seconds: 60) {
                    try Shell.jq("\"\\(.primary) \\(.operation)\"", guide.run(state, on: second)) == "node2 null"
                }
                let resume = try await guide.sandbox.call("resume", through: second)
                try hold(resume.ok, resume.text)
                try await guide.sandbox.settled(restarting: true)
            }
        }

        /// Moves the primary away from a node, so that a procedure that makes it the primary has something to do.
        private func handOver(_ guide: Guide, from name: String) async throws {
            let primary = try await guide.sandbox.primary()
            guard primary.name == name else { return }
            let answer = try await guide.sandbox.call("switchover", "{\"to\":\"node3\"}", through: primary, wait: .seconds(60))
            try hold(answer.ok, answer.text)
            try await guide.sandbox.settled()
        }
    }
}

/// Runs a scenario of the guide; a failure shows the logs.
func procedure(_ title: String, _ body: (Guide) async throws -> Void) async throws {
    let cluster = try SuiteCluster.required()
    let sandbox = try await cluster.sandbox()
    let began = ContinuousClock.now
    do {
        try await body(Guide(sandbox: sandbox))
        Report.line("guide: \(title): as written, \(Report.seconds(ContinuousClock.now - began))")
    } catch {
        await cluster.noteFailure(title, error)
        throw error
    }
}
