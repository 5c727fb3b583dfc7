import ClusterModel
import FoundationEssentials
import PostgresControl
import PostgresTestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(2)))
struct ReplicationTests {
    @Test func `a failover takes the reserved timeline, a replica follows, and the old primary is rewound`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1", "node-2", "node-3") { nodes in
                let (old, new, other) = (nodes[0], nodes[1], nodes[2])
                try await old.bootstrap()
                try await new.join(old)
                try await other.join(old)
                #expect(old.server.query("CREATE TABLE t AS SELECT 1 AS x") != nil)
                let caughtUp = await new.catchesUp(with: old)
                #expect(caughtUp)

                // SE3: both replicas forget the primary; what it writes now reaches nobody.
                let began = ContinuousClock.now
                let first = try await new.stopReceiver()
                #expect(ContinuousClock.now - began < .seconds(1))
                let passfile = new.input.stateDirectory + "/postgresql/passfile"
                #expect(try String(contentsOfFile: passfile, encoding: .utf8) == "# pledged: no upstream\n")
                _ = try await other.stopReceiver()
                #expect(first.timeline == TimelineID(2) && first.history.map(\.timeline) == [TimelineID(1)])
                #expect(old.server.query("CREATE TABLE lost AS SELECT 1 AS x") != nil)
                let written = old.server.query("SELECT pg_current_wal_flush_lsn()").flatMap { LSN($0) } ?? .zero
                let later = await new.adapter.facts().server
                #expect(later?.receiver == nil && later?.receivedLSN ?? .zero < written)
                old.server.kill()

                // AG9: numbers 3 and 4 were used up by somebody else.
                try await new.promote(to: 5)
                try await new.perform(.checkpoint)
                let promoted = await new.adapter.facts().server
                #expect(promoted?.timeline == TimelineID(5))
                #expect(promoted?.history.map(\.timeline) == [TimelineID(1), TimelineID(2)])
                try await new.perform(.ensureSlots(keep: ["node_1", "node_3"], drop: ["node_2"]))
                try await other.perform(.applySettings(other.settings(following: new)))
                let streamed = await other.streams(from: new.server.port)
                #expect(streamed)
                #expect(new.server.query("CREATE TABLE kept AS SELECT 1 AS x") != nil)
                let follows = await other.catchesUp(with: new)
                #expect(follows)
                #expect(await other.adapter.facts().server?.timeline == TimelineID(5))

                let crossed = try await other.stopReceiver()
                #expect(crossed.timeline == TimelineID(5) && crossed.history.count == 2)
                try await other.perform(.applySettings(other.settings(following: new)))

                // 8.3: the old primary was killed with a commit that nobody else has.
                guard case .inspected(let stopped) = try await old.perform(.inspectStopped) else { return }
                #expect(!stopped.isCleanShutdown && !stopped.wasStandby)
                #expect(stopped.end.timeline == TimelineID(2) && stopped.end.lsn >= written)
                let idBefore = await old.adapter.facts().dataID
                var unreachable = new.endpoint
                unreachable.port = Loopback.freePort()
                guard case .failed = await old.adapter.perform(.rewind(source: unreachable)) else {
                    Issue.record("a rewind without a source succeeded")
                    return
                }
                #expect(await old.adapter.facts().unfinishedJob == "rewind")
                try await old.perform(.rewind(source: new.endpoint))
                let rewound = await old.adapter.facts()
                #expect(rewound.unfinishedJob == "rewind-complete" && rewound.dataID != idBefore)
                try await old.perform(.prepareStandby(old.settings(following: new)))
                try await old.start()
                let returned = await old.streams(from: new.server.port)
                #expect(returned)
                try await old.perform(.finishRejoin)
                #expect(await old.adapter.facts().unfinishedJob == nil)
                let again = await old.catchesUp(with: new)
                #expect(again)
                #expect(old.server.query("SELECT count(*) FROM kept") == "1")
                #expect(old.server.query("SELECT count(*) FROM lost") == nil)
                let beside = try FileManager.default.contentsOfDirectory(atPath: old.server.socketDirectory)
                #expect(beside.contains { $0.hasPrefix("node-1.lost-") })
            }
        }
    }

    @Test func `the end of WAL of a stopped server is the end of its last record`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1", "node-2") { nodes in
                let (primary, replica) = (nodes[0], nodes[1])
                try await primary.bootstrap()
                try await replica.join(primary)
                #expect(primary.server.query("CREATE TABLE t AS SELECT generate_series(1, 20000) AS x") != nil)
                let caughtUp = await replica.catchesUp(with: primary)
                #expect(caughtUp)
                let position = try await replica.stopReceiver()
                replica.server.kill()
                let killed = try await replica.inspected()
                #expect(killed.wasStandby && !killed.isCleanShutdown)
                #expect(killed.end == WALPosition(timeline: position.timeline, lsn: position.lsn))

                // WAL that ends with a switch ends where its segment does.
                #expect(primary.server.query("SELECT pg_switch_wal()") != nil)
                let written = primary.server.query("SELECT pg_current_wal_flush_lsn()").flatMap { LSN($0) }
                primary.server.kill()
                let crashed = try await primary.inspected()
                #expect(!crashed.isCleanShutdown && !crashed.wasStandby)
                #expect(crashed.end.lsn >= written ?? LSN(UInt64.max))

                try await primary.perform(.prepareInPlaceStart(primary.settings()))
                try await primary.start(asStandby: false)
                #expect(await primary.adapter.facts().server?.timeline == TimelineID(2))
                primary.server.stop()
                let clean = try await primary.inspected()
                #expect(clean.isCleanShutdown && clean.control.state == .shutDown)
                #expect(clean.end.lsn > clean.control.checkpointLSN)
                #expect(clean.end.lsn - clean.control.checkpointLSN < 300)

                // A replica that has the shutdown checkpoint ends where the primary ended.
                try await primary.perform(.prepareInPlaceStart(primary.settings()))
                try await primary.start(asStandby: false)
                try await replica.perform(.prepareStandby(replica.settings(following: primary)))
                try await replica.start()
                let streams = await replica.streams()
                #expect(streams)
                primary.server.stop()
                let ended = try await primary.inspected()
                let received = await Eventually.holds {
                    await replica.adapter.facts().server?.replayedLSN ?? .zero >= ended.end.lsn
                }
                #expect(received)
                replica.server.stop()
                let last = try await replica.inspected()
                #expect(last.isCleanShutdown && last.wasStandby && last.end == ended.end)
            }
        }
    }

    @Test func `commits wait for the synchronous set before it counts`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1", "node-2") { nodes in
                let (primary, replica) = (nodes[0], nodes[1])
                try await primary.bootstrap()
                try await replica.join(primary)
                let names = "ANY 1 (\"pgb_00000000_node-2\")"
                try await primary.perform(.proveSynchronousWait(primary.settings(synchronous: names)))
                let isQuorum = await Eventually.holds {
                    await primary.adapter.facts().server?.replicas.first?.syncState == "quorum"
                }
                #expect(isQuorum)
                #expect(await primary.adapter.facts().server?.synchronousStandbyNames == names)
                #expect(primary.server.query("CREATE TABLE t (x int)") != nil)
                let slot = await primary.adapter.facts().server?.slots.first
                #expect(slot?.name == "node_2" && slot?.isActive == true && slot?.isPhysical == true)

                // A replica keeps slots for the others and advances them.
                try await replica.perform(.ensureSlots(keep: ["node_1"], drop: []))
                let caughtUp = await replica.catchesUp(with: primary)
                #expect(caughtUp)
                try await replica.perform(.ensureSlots(keep: ["node_1"], drop: []))
                let facts = await replica.adapter.facts().server
                let kept = facts?.slots.first?.restartLSN ?? .zero
                #expect(kept > .zero && kept <= facts?.replayedLSN ?? .zero)
                try await replica.perform(.ensureSlots(keep: [], drop: ["node_1"]))
                #expect(await replica.adapter.facts().server?.slots.isEmpty == true)
            }
        }
    }
}

extension TestNode {
    func stopReceiver() async throws -> ReceivedPosition {
        guard case .stoppedReceiving(let position) = try await perform(.stopReceiver(settings())) else {
            throw BastionError(.internal, "not the outcome of stopReceiver")
        }
        return position
    }

    func inspected() async throws -> StoppedServer {
        guard case .inspected(let stopped) = try await perform(.inspectStopped) else {
            throw BastionError(.internal, "not the outcome of inspectStopped")
        }
        return stopped
    }
}
