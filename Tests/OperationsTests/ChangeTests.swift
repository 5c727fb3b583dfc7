import ClusterModel
import Operations
import Testing

@Suite struct ChangeTests {
    @Test func `without waiting a change returns the operation id at once`() async throws {
        let gateway = example()
        let answer = try await run("failover", #"{"to":"node2","allow_data_loss":"1MiB"}"#, on: gateway)
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["operation_id"]?.string == "op-1")
        #expect(data["finished"] == .bool(false))
        #expect(
            await gateway.submissions.map(\.request) == [
                .failover(to: ExampleCluster.name("node2"), allowDataLossBytes: 1 << 20)
            ])
    }

    @Test func `a change that is not finished in time is exit 6 with the command that waits for it`() async throws {
        let answer = try await run("switchover", "{}", on: example(), wait: .milliseconds(50))
        #expect(answer.exitStatus == 6)
        #expect(answer.error?.hint == "run `pgbastion op wait op-1`")
        #expect(answer.error?.operationID == "op-1")
    }

    @Test func `an operation that was undone is exit 1, one past the promotion is exit 7`() async throws {
        for (timeline, exit) in [(nil as TimelineID?, Int32(1)), (TimelineID(6), 7)] {
            let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
                var operation = OperationView(id: "op-9", kind: "switchover", phase: "stop", startedAt: "x")
                operation.result = timeline == nil ? .undone : .failed
                operation.newTimeline = timeline
                operation.message = "node2 did not answer"
                view.recentOperations = [operation]
                return ClusterReply(operationID: "op-9", summary: "")
            }
            let answer = try await run("switchover", "{}", on: gateway, wait: .seconds(5))
            #expect(answer.exitStatus == exit)
            #expect(answer.error?.message.contains("node2 did not answer") == true)
        }
    }

    @Test func `the leader's refusal passes through unchanged`() async throws {
        let refusal = BastionError(
            .preconditionFailed, "switchover refused: x", detail: "d", hint: "h",
            checks: [FailedCheck(id: "replica.caught_up", actual: "2", expected: "1", overridable: true)])
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, _ throws(BastionError) in throw refusal }
        let answer = try await run("switchover", "{}", on: gateway, wait: .seconds(1))
        #expect(answer.error == refusal)
        #expect(try OperationEnvelope(parsing: answer.envelope).error == refusal)
    }

    @Test func `node and to must name the same node`() async throws {
        let gateway = example()
        let answer = try await run("switchover", #"{"node":"node2","to":"node3"}"#, on: gateway)
        #expect(answer.exitStatus == 64)
        _ = try await run("switchover", #"{"node":"node2","to":"node2"}"#, on: gateway)
        #expect(await gateway.submissions.count == 1)
    }

    @Test func `adding a peer is followed until it is a voter`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.peers.append(
                PeerView(
                    name: ExampleCluster.name("node4"), address: "10.0.1.4:8300", suffrage: .learner, isLeader: false,
                    reachable: true))
            return ClusterReply(summary: "node4 was added")
        }
        async let answer = run("peer.add", #"{"name":"node4","address":"10.0.1.4"}"#, on: gateway, wait: .seconds(20))
        for await view in gateway.views(minimumInterval: .zero) where view.peers.count == 4 { break }
        await gateway.update { $0.peers[3].suffrage = .voter }
        let data = try #require(try OperationEnvelope(parsing: try await answer.envelope).data)
        #expect(data["suffrage"]?.string == "voter")
        let now = try await run(
            "peer.add", #"{"name":"node4","address":"10.0.1.4","learner":true}"#, on: gateway, wait: .seconds(5))
        #expect(now.error == nil)
    }

    @Test func `removing a peer names the voters left and the slots dropped`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.peers.removeLast()
            return ClusterReply(summary: "node3 was removed")
        }
        let answer = try await run("peer.remove", #"{"name":"node3"}"#, on: gateway, wait: .seconds(5))
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["voters"] == .number("2"))
        #expect(data["dropped_slots"] == .array([.string("node3")]))
    }

    @Test func `a dry run refuses what the view already forbids`() async throws {
        let gateway = example()
        #expect(
            try await run("peer.remove", #"{"name":"node1"}"#, on: gateway, dryRun: true).error?.checks.first?.id
                == "node.not_primary")
        #expect(try await run("peer.remove", #"{"name":"node9"}"#, on: gateway, dryRun: true).exitStatus == 10)
        #expect(try await run("node.reinit", #"{"node":"node1"}"#, on: gateway, dryRun: true).exitStatus == 3)
        #expect(
            try await run("failover", #"{"to":"node1"}"#, on: gateway, dryRun: true).error?.checks.first?.id
                == "node.is_replica")
        await gateway.update {
            $0.operation = OperationView(id: "op-2", kind: "failover", phase: "fence", startedAt: "x")
        }
        #expect(try await run("switchover", "{}", on: gateway, dryRun: true).exitStatus == 8)
    }

    @Test func `GD6 a transfer answers when another node leads and says when the address moved`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.raft.leader = ExampleCluster.name("node3")
            view.raft.term = 8
            view.vipOwner = ExampleCluster.name("node3")
            return ClusterReply(summary: "leadership is moving")
        }
        let answer = try await run("raft.transfer", "{}", on: gateway, wait: .seconds(5))
        let envelope = try OperationEnvelope(parsing: answer.envelope)
        #expect(envelope.data?["to"]?.string == "node3")
        #expect(envelope.warnings.count == 1)
    }

    @Test func `pause and resume tell the state and that it was so already`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { request, view throws(BastionError) in
            guard case .pause(let seconds, let reason) = request else {
                let wasOn = view.paused == nil
                view.paused = nil
                return ClusterReply(alreadySo: wasOn, summary: "automatic failover is on")
            }
            view.paused = PauseView(reason: reason, by: "test", since: "2026-02-17T02:00:00Z", forSeconds: seconds)
            return ClusterReply(summary: "automatic failover is paused")
        }
        let paused = try await run("pause", #"{"for":"2h","reason":"work"}"#, on: gateway, wait: .seconds(5))
        let data = try #require(try OperationEnvelope(parsing: paused.envelope).data)
        #expect(data["until"]?.string == "2026-02-17T04:00:00Z")
        #expect(data["active"] == .bool(true))
        _ = try await run("resume", "{}", on: gateway, wait: .seconds(5))
        let again = try await run("resume", "{}", on: gateway, wait: .seconds(5))
        #expect(try OperationEnvelope(parsing: again.envelope).data?["already_so"] == .bool(true))
        #expect(again.exitStatus == 0)
    }
}
