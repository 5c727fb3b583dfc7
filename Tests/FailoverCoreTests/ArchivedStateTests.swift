import ClusterModel
import FoundationEssentials
import Testing

@testable import FailoverCore

/// `state/fsm.json` of an archive (backup-restore.md, 2.2).
@Suite struct ArchivedStateTests {
    private func bytes(_ state: ClusterState) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(ArchivedState(state))
    }

    private func roundTrip(_ state: ClusterState) throws -> ClusterState {
        try JSONDecoder().decode(ArchivedState.self, from: try bytes(state)).clusterState()
    }

    @Test(arguments: 0..<4) func `100 random states come back as they were, with the same bytes`(_ block: Int) throws {
        for seed in (block * 25)..<(block * 25 + 25) {
            let bench = StateBench.serving()
            var dice = CommandDice(seed: UInt64(seed))
            for step in 0..<60 { bench.apply(dice.next(bench.state), id: step % 3 == 0 ? "r\(step)" : nil) }
            let back = try roundTrip(bench.state)
            #expect(back == bench.state, "seed \(seed)")
            #expect(try bytes(back) == bytes(bench.state), "seed \(seed)")
            let restored = bench.state.restored(
                on: name("a"), member: MemberID(rawValue: 9), newID: ClusterID(rawValue: 8), now: 1,
                archive: RestoredFrom(archiveID: "x", sha256: "y", by: "z", manner: .restore))
            #expect(try roundTrip(restored) == restored, "seed \(seed)")
        }
    }

    @Test func `numbers that canonical JSON cannot hold come back exactly`() throws {
        let bench = StateBench.serving()
        var state = bench.state
        state.systemIdentifier = 7_301_234_567_890_123_456
        state.hold = HoldRecord(
            id: .max, token: FencingToken(1), guardIncarnation: guardOf("a"), durationMilliseconds: 1, reason: "/\"ä\n")
        var backup = BackupRecord(id: "i", series: "default", at: -1, node: name("a"), exitStatus: 7)
        backup.durationSeconds = 0.1 + 0.2
        backup.sizeBytes = 1 << 60
        state.backups = [backup]
        state.operation = operation("op", .failover, from: "a", fromToken: 1, ballot: 2)
        state.operation?.allowDataLossBytes = .max
        var order = directive("d", "b", token: 1)
        order.seconds = 1e-7
        state.directives = [order]
        #expect(try roundTrip(state) == state)
        let text = String(decoding: try bytes(state), as: UTF8.self)
        #expect(text.contains("\"system_identifier\":\"7301234567890123456\""))
        #expect(!text.contains("0.30000000000000004,"), "no float stands outside a text")
    }

    @Test func `it has exactly the 19 keys of the specification, also when the state is empty`() throws {
        for state in [ClusterState(), StateBench.serving().state] {
            let fields = try JSONDecoder().decode([String: StateTree].self, from: try bytes(state))
            #expect(fields.keys.sorted() == ArchivedState.keys)
            #expect(fields["schema_version"] == .integer(1))
            #expect(fields["health_history"] == .object([:]))
            #expect(fields["slots"] == .list([]))
        }
        #expect(ArchivedState.keys.count == 19)
        #expect(try roundTrip(ClusterState()) == ClusterState())
    }

    @Test func `a document with a missing or unknown key, or of a newer schema, is refused`() throws {
        let good = try JSONDecoder().decode([String: StateTree].self, from: try bytes(StateBench.serving().state))
        func reads(_ change: (inout [String: StateTree]) -> Void) throws -> Bool {
            var fields = good
            change(&fields)
            let data = try JSONEncoder().encode(fields)
            do {
                _ = try JSONDecoder().decode(ArchivedState.self, from: data).clusterState()
                return true
            } catch {
                return false
            }
        }
        #expect(try reads { _ in })
        #expect(try !reads { $0["slots"] = nil })
        #expect(try !reads { $0["more"] = .null })
        #expect(try !reads { $0["schema_version"] = .integer(2) })
        #expect(try !reads { $0["nodes"] = .list([]) })
    }

    @Test func `no digit of a float and no large integer stands in the document`() throws {
        let bench = StateBench.synchronous()
        bench.must(.recordBackup(BackupRecord(id: "i", series: "s", at: 1, node: name("a"), exitStatus: 0)))
        func check(_ tree: StateTree) {
            switch tree {
            case .integer(let value): #expect(abs(value) <= StateTree.largestInteger)
            case .list(let items): for item in items { check(item) }
            case .object(let fields): for field in fields.values { check(field) }
            case .null, .bool, .text: break
            }
        }
        check(try JSONDecoder().decode(StateTree.self, from: try bytes(bench.state)))
    }
}
