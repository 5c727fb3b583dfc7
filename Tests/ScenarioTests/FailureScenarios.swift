import Bastion
import Glibc
import PostgresControl
import Testing

/// Scenarios on one cluster of three nodes that all have joined.
extension ScenarioTests {
    @Suite(.serialized, .cluster("three", nodes: 3)) struct ThreeNodes {}
}

extension ScenarioTests.ThreeNodes {
    /// Processes that die or freeze (failover.md sections 4.7 and 5).
    @Suite(.serialized) struct Failures {
        @Test func `the postmaster of the primary is killed and commits go on within a second or two`() async throws {
            try await Scene.play("postmaster of the primary killed", touching: .primary) { scene in
                let before = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.signal(SIGKILL, .postmaster, scene.primary)
                try await scene.sandbox.wait("the end of the postmaster", seconds: 10) {
                    scene.sandbox.postmasterPID(scene.primary) != before
                }
                try await scene.commits(50)
            }
        }

        @Test func `the guard of the primary is killed and the kernel ends PostgreSQL with it (GU)`() async throws {
            try await Scene.play("guard of the primary killed", touching: .primary) { scene in
                scene.sandbox.signal(SIGKILL, .guardProcess, scene.primary)
                try await scene.newToken()
                try await scene.commits(20)
            }
        }

        @Test func `a daemon that is back within the lease changes nothing (PR6)`() async throws {
            try await Scene.play("daemon of the primary killed, back after 1 s", touching: .primary, longestGap: .seconds(5)) { scene in
                let postmaster = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.signal(SIGKILL, .daemon, scene.primary)
                try await scene.isGone(.daemon, scene.primary)
                try await scene.lasts(.seconds(1))
                try scene.sandbox.startDaemon(scene.primary)
                try await scene.sandbox.settled()
                try await scene.nothingChanged(postmaster: postmaster)
            }
        }

        @Test func `a frozen daemon is fenced by its guard and returns as a replica (GD10)`() async throws {
            try await Scene.play("daemon of the primary frozen for 6 s", touching: .primary) { scene in
                let began = ContinuousClock.now
                scene.sandbox.signal(SIGSTOP, .daemon, scene.primary)
                do {
                    try await scene.takeover()
                    try await scene.commits(20)
                    try hold(scene.sandbox.postmasterPID(scene.primary) == nil, "the guard did not end PostgreSQL")
                    try await scene.lasts(max(.zero, .seconds(6) - (ContinuousClock.now - began)))
                } catch {
                    scene.sandbox.signal(SIGCONT, .daemon, scene.primary)
                    throw error
                }
                scene.sandbox.signal(SIGCONT, .daemon, scene.primary)
            }
        }

        @Test func `a frozen guard is replaced by its daemon at the deadline (GU1)`() async throws {
            try await Scene.play("guard of the primary frozen", touching: .primary) { scene in
                let frozen = scene.sandbox.guardPID(scene.primary)
                scene.sandbox.signal(SIGSTOP, .guardProcess, scene.primary)
                try await scene.newToken()
                try hold(scene.sandbox.guardPID(scene.primary) != frozen, "the frozen guard is still there")
                try await scene.commits(20)
            }
        }

        @Test func `a postmaster that freezes briefly is not a dead server (D63)`() async throws {
            try await Scene.play("postmaster of the primary frozen for 2 s", touching: .primary, longestGap: .seconds(5)) { scene in
                let postmaster = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.signal(SIGSTOP, .postmaster, scene.primary)
                try await scene.lasts(.seconds(2))
                scene.sandbox.signal(SIGCONT, .postmaster, scene.primary)
                try await scene.nothingChanged(postmaster: postmaster)
            }
        }

        @Test func `the postmaster of a replica is killed and commits go on`() async throws {
            try await Scene.play("postmaster of a replica killed", touching: .replica, longestGap: .seconds(5)) { scene in
                let postmaster = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.signal(SIGKILL, .postmaster, scene.replica)
                try await scene.commits(100)
                try await scene.nothingChanged(postmaster: postmaster)
            }
        }

        @Test func `the daemon of a replica is killed and commits go on`() async throws {
            try await Scene.play("daemon of a replica killed", touching: .replica, longestGap: .seconds(5)) { scene in
                let postmaster = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.signal(SIGKILL, .daemon, scene.replica)
                try await scene.commits(100)
                try await scene.nothingChanged(postmaster: postmaster)
            }
        }

        @Test func `the whole node of a replica is killed and returns`() async throws {
            try await Scene.play("node of a replica killed", touching: .replica, longestGap: .seconds(5)) { scene in
                let postmaster = scene.sandbox.postmasterPID(scene.primary)
                scene.sandbox.killNode(scene.replica)
                try await scene.commits(100)
                try await scene.nothingChanged(postmaster: postmaster)
            }
        }
    }
}
