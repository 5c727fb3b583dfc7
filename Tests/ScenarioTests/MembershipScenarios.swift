import Bastion
import Glibc
import PostgresControl
import PostgresTestKit
import Testing

extension ScenarioTests.GuideProcedures {
    /// Joining and leaving, and who is refused.
    @Suite(.serialized) struct Membership {
        @Test func `an address nobody answers at is not added (peer.reachable)`() async throws {
            try await procedure("add-peer of a dead address") { guide in
                try await guide.formed(3)
                let result = ClientProgram.run(
                    "peer add node9 127.0.0.1:\(Loopback.freePort())", on: guide.sandbox.layout.nodes[0], of: guide.sandbox)
                try hold(result.status == 3 && result.errors.contains("peer.reachable"), "\(result)")
            }
        }

        @Test func `a second bootstrap node is refused with foreign_state, and both clusters stay as they are (P03, GD9)`() async throws {
            try await procedure("a second bootstrap node") { guide in
                let sandbox = guide.sandbox
                try await guide.formed(3)
                let fourth = sandbox.layout.nodes[3]
                let file = sandbox.layout.configuration(fourth)
                let edited = Shell.run("sed -i 's/bootstrap: false/bootstrap: true/' '\(file)'")
                try hold(edited.status == 0, "\(edited)")
                try sandbox.startDaemon(fourth)
                defer { sandbox.killNode(fourth) }
                try await sandbox.wait("a primary of the other cluster", seconds: 60) {
                    try await sandbox.state(fourth).primary?.phase == "serving"
                }
                let result = ClientProgram.run(
                    "peer add node4 127.0.0.1:\(fourth.raftPort)", on: sandbox.layout.nodes[0], of: sandbox)
                try hold(result.status == 3 && result.errors.contains("foreign_state"), "\(result)")
                try hold(try await sandbox.rest(sandbox.layout.nodes[0]).nodes.count == 3, "the first cluster changed")
                try hold(try await sandbox.rest(fourth).nodes.map(\.name) == ["node4"], "the second cluster changed")
            }
            let sandbox = try await SuiteCluster.required().sandbox()
            let gone = Shell.run("rm -rf '\(sandbox.layout.root(sandbox.layout.nodes[3]))/raft'")
            #expect(gone.status == 0)
        }

        @Test func `a second daemon on the same directory ends with exit 3 (K04)`() async throws {
            try await procedure("a second daemon") { guide in
                try await guide.formed(3)
                let first = guide.sandbox.layout.nodes[0]
                let result = Shell.run(
                    "'\(guide.sandbox.program)' serve --config '\(guide.sandbox.layout.configuration(first))'", limit: .seconds(20))
                try hold(result.status == 3, "\(result)")
                try await guide.sandbox.settled()
            }
        }

        @Test func `the primary's node is not removed (P05, E04)`() async throws {
            try await procedure("removal of the primary's node") { guide in
                try await guide.formed(3)
                let primary = try await guide.sandbox.primary()
                let result = ClientProgram.run("peer remove \(primary.name) --yes", on: guide.sandbox.layout.nodes[0], of: guide.sandbox)
                try hold(result.status == 3 && result.errors.contains("node.not_primary"), "\(result)")
            }
        }

        @Test func `Removing a Node: its slots go, it is told, stays out, and joins again after a wipe (P05, P15)`() async throws {
            try await procedure("Removing a Node") { guide in
                let sandbox = guide.sandbox
                try await guide.formed(3)
                let third = sandbox.layout.nodes[2]
                // The procedure's first line has something to do when the node that goes is the primary.
                if try await sandbox.primary() != third {
                    let answer = try await sandbox.call("switchover", "{\"to\":\"node3\"}", through: third, wait: .seconds(60))
                    try hold(answer.ok, answer.text)
                    try await sandbox.settled()
                }
                _ = try guide.run(guide.command("Removing a Node", 0, containing: "switchover --to node2"), on: third)
                try hold(try await sandbox.primary().name == "node2", "node2 is not the primary")
                try await sandbox.settled()
                try await sandbox.stopDaemon(third)
                let leader = try await guide.leader
                let answer = try guide.run(guide.command("Removing a Node", 1, containing: "/raft/remove-peer"), on: leader)
                try hold(try Shell.jq(".status", answer) == "peer removed", answer)
                try await sandbox.wait("the slots of node3 to go", seconds: 30) {
                    let slots = Shell.run("curl -s http://127.0.0.1:\(leader.apiPort)/cluster/replication").output
                    return try Shell.jq("[.replication_slots[] | select(.name == \"node3\")] | length", slots) == "0"
                }
                let two = try await sandbox.rest(leader)
                try hold(two.raft.voters == 2 && two.nodes.count == 2, "\(two)")
                try sandbox.startDaemon(third)
                try await sandbox.wait("node3 to be told that it was removed", seconds: 30) {
                    Shell.run("grep -ci 'removed' '\(sandbox.layout.log(third))'").output.trimmed != "0"
                }
                try hold(try await sandbox.rest(leader).nodes.count == 2, "node3 came back by itself")
                try await rejoin(third, guide)
            }
        }

        /// The guide's last step, deleting the Raft directory, and then the procedure for a new node.
        private func rejoin(_ node: SandboxNode, _ guide: Guide) async throws {
            let sandbox = guide.sandbox
            sandbox.killNode(node)
            try await sandbox.wait("the end of \(node.name)", seconds: 10) { sandbox.daemonPID(node) == nil }
            let wiped = Shell.run("rm -rf '\(sandbox.layout.root(node))/raft'")
            try hold(wiped.status == 0, "\(wiped)")
            try sandbox.startDaemon(node)
            let add = try guide.command("Adding a Node", 0, containing: "/raft/add-peer")
            let leader = try await guide.leader
            try await sandbox.wait("\(node.name) to be added again", seconds: 30) {
                try Shell.jq(".status", guide.run(add, on: leader)) == "peer added"
            }
            try await sandbox.settled()
        }
    }
}
