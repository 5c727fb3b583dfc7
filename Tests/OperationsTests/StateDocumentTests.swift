import ClusterModel
import FoundationEssentials
import Operations
import Testing

/// The state document is a contract (runbooks.md, section 5).
@Suite struct StateDocumentTests {
    private func document(_ change: (inout ClusterView) -> Void = { _ in }) throws -> JSONValue {
        var view = ExampleCluster.healthy
        change(&view)
        return try JSONParser.parse(try JSONText.encode(StateDocument(view)))
    }

    /// Every path of section 5 of runbooks.md.
    private static let paths = """
        format format_version captured_at source seen_by cluster.id cluster.name cluster.epoch cluster.healthy raft.leader raft.term \
        raft.commit_index raft.applied_index raft.voters raft.voters_reachable raft.learners raft.failures_tolerated raft.has_quorum \
        raft.digest_agreement paused.active paused.since paused.until paused.reason paused.by paused.by_run restart_hold.active \
        restart_hold.node restart_hold.until primary.name primary.verified primary.accepting_writes primary.since primary.timeline \
        primary.lsn primary.system_identifier primary.lease_holder primary.lease_remaining_seconds synchronous.mode \
        synchronous.degraded synchronous.required synchronous.members vip.address vip.owner vip.follows vip.consistent split_brain \
        directives.pending directives.oldest_pending_seconds operations.active lock backup.last_id backup.last_success_at \
        backup.age_seconds backup.count_good backup.last_drill_at backup.drill_age_seconds versions.min versions.max versions.skew \
        config.drift config.invalid_nodes standby.active standby.upstream_system_identifier standby.lag_bytes local
        """
    private static let nodePaths = """
        name address role state healthy reachable drained fenced promotable promotable_reason streaming upstream sync lag_bytes \
        lag_seconds lag_measured_at lag_age_seconds timeline lsn system_identifier replay_paused version pg_version schema_version \
        connections longest_transaction_seconds base_backup_running pending_restart data_bytes data_free_bytes clock_offset_seconds \
        last_seen_seconds job.kind job.percent slots raft.suffrage raft.reachable raft.match_index raft.last_term raft.last_index \
        raft.caught_up raft.cluster_id
        """

    @Test func `every path of the contract is there, and no other`() throws {
        let value = try document()
        #expect(leaves(value, isRoot: true) == Set(Self.paths.split(separator: " ").map(String.init)))
        let node = try #require(value["nodes"]?.elements?.first)
        #expect(leaves(node, isRoot: true) == Set(Self.nodePaths.split(separator: " ").map(String.init)))
        let slot = try #require(node["slots"]?.elements?.first?.members?.map(\.name))
        #expect(slot.sorted() == ["active", "kind", "name", "retained_bytes", "wal_status"])
    }

    private func leaves(_ value: JSONValue, isRoot: Bool, at path: String = "") -> Set<String> {
        guard case .object(let members) = value else { return [path] }
        var found: Set<String> = []
        for member in members where !(path.isEmpty && member.name == "nodes") {
            found.formUnion(leaves(member.value, isRoot: false, at: path.isEmpty ? member.name : "\(path).\(member.name)"))
        }
        return found
    }

    @Test func `the document of the example cluster is the one kept beside this test`() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/state-healthy-3.json")
        let bytes = try document().bytes + [0x0A]
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { try Data(bytes).write(to: path) }
        #expect(String(decoding: try Data(contentsOf: path), as: UTF8.self) == String(decoding: bytes, as: UTF8.self))
    }

    @Test func `a lag that is not measured any more is unknown`() throws {
        let node = try #require(try document { $0.nodes[1].streaming = false }["nodes"]?.elements?[1])
        #expect(node["lag_bytes"] == .null && node["lag_measured_at"] == .null)
    }

    @Test func `redaction gives the same other name everywhere`() async throws {
        let answer = try await run(
            "state.export", #"{"redact":true}"#, on: example { $0.nodes[2].promotableReason = "DE7: node3 is silent" })
        let text = String(decoding: try #require(try OperationEnvelope(parsing: answer.envelope).data).bytes, as: UTF8.self)
        for word in ["node1", "node2", "node3", "10.0.1.", "prod"] { #expect(!text.contains(word), "\(word)") }
        #expect(text.contains(#""promotable_reason":"DE7: member3 is silent""#))
        #expect(text.contains(#""upstream":"member1""#))
    }

    @Test func `wait takes a path of the document`() throws {
        func verdict(_ text: String) throws -> Bool { try WaitCondition(text).evaluate(ExampleCluster.healthy).met }
        for text in [
            "raft.has_quorum=true", "primary.name=node1", "nodes[name=node2].state=streaming", "nodes[*].reachable=true",
            "nodes[role=replica,sync=quorum].streaming=true", "synchronous.mode=quorum", "nodes.role=replica,node=node3",
            "split_brain=false", "primary.timeline=5",
        ] { #expect(try verdict(text), "\(text)") }
        for text in ["raft.has_quorum=false", "nodes[*].role=replica", "lock.live=true", "nodes[name=node9].state=running", "local=null"] {
            #expect(try !verdict(text), "\(text)")
        }
        for text in ["nonsense.path=1", "raft.=1", "nodes[name=node2.state=1", "raft.has_quorum="] {
            #expect(throws: BastionError.self, "\(text)") { try WaitCondition(text) }
        }
    }
}
