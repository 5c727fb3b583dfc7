import ClusterModel
import Operations
import Testing

/// `standby promote`, and what a cluster that follows another one says of itself.
@Suite struct StandbyPromoteTests {
    @Test func `it sends the limit, waits for the operation, and says from where to where`() async throws {
        let gateway = RecordedGateway(following(lag: 0)) { request, view throws(BastionError) in
            #expect(request == .promoteStandby(maxLagBytes: 16 << 20))
            var operation = OperationView(id: "op-9", kind: "standby_promote", phase: "settle", startedAt: "x")
            operation.result = .succeeded
            operation.to = ExampleCluster.name("node2")
            operation.oldTimeline = TimelineID(4)
            operation.newTimeline = TimelineID(5)
            operation.lsn = LSN(0x0300_0000)
            view.recentOperations = [operation]
            return ClusterReply(operationID: "op-9", summary: "initiated")
        }
        let answer = try await run("standby.promote", #"{"max_lag":"16MiB"}"#, on: gateway, wait: .seconds(5))
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["from_timeline"] == .number("4"))
        #expect(data["new_timeline"] == .number("5"))
        #expect(data["lsn"]?.string == "0/3000000")
        #expect(data["primary"]?.string == "node2")
    }

    @Test(arguments: [(UInt64?.some(0), Int32(0)), (100, 3), (nil, 3)])
    func `the plan refuses with standby.ready (3) when too much is missing or nobody knows`(lag: UInt64?, status: Int32) async throws {
        let answer = try await run("standby.promote", on: RecordedGateway(following(lag: lag)), dryRun: true)
        #expect(answer.exitStatus == status)
        if status != 0 { #expect(answer.error?.checks.map(\.id) == ["standby.ready"]) }
    }

    @Test func `a cluster that follows nobody refuses`() async throws {
        let answer = try await run("standby.promote", on: example(), dryRun: true)
        #expect(answer.exitStatus == 3)
    }

    @Test func `the state document and the status show the mode, and its missing primary is no finding`() async throws {
        let view = following(lag: 512)
        let standby = StateDocument(view).standby
        #expect(standby.active)
        #expect(standby.lagBytes == 512)
        #expect(standby.upstreamSystemIdentifier == "4242")
        let shown = try await text("status", on: RecordedGateway(view))
        #expect(shown.contains("standby of old.example.org:5433, lag 512 B"), "\(shown)")
        #expect(!StatusOutput(view).findings.contains("no primary"))
        let lag = try await text("replication.status", on: RecordedGateway(view))
        #expect(lag.contains("this cluster follows old.example.org:5433"))
    }

    @Test func `a lag is waited for although the old primary is gone`() async throws {
        let gateway = example { view in
            view.standby = StandbyView(upstream: StandbyPromoteTests.upstream, source: nil)
            for index in view.nodes.indices {
                view.nodes[index].role = .replica
                view.nodes[index].streaming = false
                view.nodes[index].lagBytes = 0
            }
        }
        let answer = try await run("wait", #"{"conditions":["lag<=0"]}"#, on: gateway, wait: .milliseconds(500))
        #expect(answer.error == nil)
    }

    private static let upstream = StandbyUpstream(host: "old.example.org", port: 5433, slot: nil)

    private func following(lag: UInt64?) -> ClusterView {
        var view = ExampleCluster.healthy
        var standby = StandbyView(upstream: StandbyPromoteTests.upstream, source: ExampleCluster.name("node1"))
        standby.isStreaming = true
        standby.systemIdentifier = 4242
        standby.best = ExampleCluster.name("node1")
        standby.lagBytes = lag
        view.standby = standby
        view.primary = nil
        view.operation = nil
        return view
    }
}
