import Bastion
import Glibc
import PostgresControl
import Testing

extension ScenarioTests.ThreeNodes {
    /// Whole nodes that die and return, and daemons that are stopped in an orderly way.
    @Suite(.serialized) struct Nodes {
        @Test func `the node of the primary is killed, a replica takes over, and it returns as a replica`() async throws {
            try await Scene.play("node of the primary killed", touching: .primary) { scene in
                scene.sandbox.killNode(scene.primary)
                try await scene.takeover()
                try await scene.commits(50)
            }
        }

        @Test func `a former primary with WAL nobody else has is rewound or cloned, never started as it is (D43)`() async throws {
            try await Scene.play("node of the primary killed with unsent WAL", touching: .primary) { scene in
                let admin = scene.sandbox.adminConnection(scene.primary)
                _ = try SimpleQuery.column("CREATE TABLE IF NOT EXISTS unsent (id int)", on: admin)
                try await scene.sandbox.wait("the table on every node", seconds: 20) {
                    try scene.replicas.allSatisfy {
                        try SimpleQuery.column("SELECT to_regclass('unsent')::text", on: scene.sandbox.adminConnection($0)) == ["unsent"]
                    }
                }
                // Nothing leaves the primary any more; what it now writes exists nowhere else.
                let senders = try SimpleQuery.column("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender'", on: admin)
                try hold(senders.count >= 2, "walsenders: \(senders)")
                for pid in senders.compactMap({ Int32($0) }) { kill(pid, SIGSTOP) }
                _ = try SimpleQuery.column("SET synchronous_commit = local; INSERT INTO unsent VALUES (1)", on: admin)
                scene.sandbox.killNode(scene.primary)
                try await scene.takeover()
                try await scene.commits(50)
                try await scene.sandbox.settled(restarting: true)
                for node in scene.sandbox.members {
                    let rows = try SimpleQuery.column("SELECT id FROM unsent", on: scene.sandbox.adminConnection(node))
                    try hold(rows.isEmpty, "\(node.name) has the row that nobody else had")
                }
            }
        }

        @Test func `all nodes are killed at once and come back with the same data`() async throws {
            try await Scene.play("all three nodes killed and started", touching: .everything, longestGap: .seconds(30)) { scene in
                for node in scene.sandbox.members { scene.sandbox.killNode(node) }
                for node in scene.sandbox.members { try scene.sandbox.startDaemon(node) }
                try await scene.commits(20)
            }
        }

        @Test func `stopping the primary's daemon takes a restart hold: PostgreSQL stays and nobody is promoted (PR6)`() async throws {
            try await Scene.play("daemon of the primary restarted with SIGTERM", touching: .primary, longestGap: .seconds(5)) { scene in
                let postmaster = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.signal(SIGTERM, .daemon, scene.primary)
                try await scene.isGone(.daemon, scene.primary)
                // Longer than the lease: only the hold keeps the server.
                try await scene.lasts(.seconds(5))
                try hold(scene.sandbox.postmasterPID(scene.primary) == postmaster, "the server ended during the hold")
                try scene.sandbox.startDaemon(scene.primary)
                try await scene.sandbox.settled()
                try await scene.nothingChanged(postmaster: postmaster)
                try hold(try await scene.sandbox.rest(scene.primary).primary?.token == scene.token, "another token was given")
            }
        }
    }
}
