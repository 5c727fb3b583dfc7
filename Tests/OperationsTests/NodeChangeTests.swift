import ClusterModel
import Operations
import Testing

@Suite struct NodeChangeTests {
    private static let node2 = ExampleCluster.name("node2")

    @Test func `a drain counts the sessions of every proxy until none is left`() async throws {
        let counts = Countdown([2, 1, 0, 0])
        let gateway = RecordedGateway(
            ExampleCluster.healthy,
            behaviour: { request, view throws(BastionError) in
                #expect(request == .drain(node: NodeChangeTests.node2, timeoutSeconds: 60))
                view.nodes[1].drained = true
                return ClusterReply(summary: "node2 is drained")
            },
            nodeBehaviour: { node, _, _ throws(BastionError) in
                guard node.rawValue == "node1" else { return .connections([]) }
                let active = counts.next()
                return .connections([
                    ProxySessions(backend: NodeChangeTests.node2, portType: "replica", active: active),
                    ProxySessions(backend: ExampleCluster.name("node3"), portType: "replica", active: 7),
                ])
            })
        let answer = try await run("node.drain", #"{"node":"node2","timeout":"1m"}"#, on: gateway, wait: .seconds(20))
        #expect(answer.error == nil)
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["drained"] == .bool(true))
        #expect(data["remaining_sessions"] == .number("0"))
    }

    @Test func `a drain whose sessions do not end in time is exit 6, and a proxy that is silent is named`() async throws {
        let gateway = RecordedGateway(
            ExampleCluster.healthy,
            behaviour: { _, view throws(BastionError) in
                view.nodes[1].drained = true
                return ClusterReply(alreadySo: true, summary: "node2 is drained")
            },
            nodeBehaviour: { node, _, _ throws(BastionError) in
                guard node.rawValue == "node1" else { throw BastionError(.unavailable, "gone") }
                return .connections([ProxySessions(backend: NodeChangeTests.node2, portType: "replica", active: 1)])
            })
        let late = try await run("node.drain", #"{"node":"node2"}"#, on: gateway, wait: .milliseconds(300))
        #expect(late.exitStatus == 6)
        let now = try await run("node.drain", #"{"node":"node2"}"#, on: gateway)
        let envelope = try OperationEnvelope(parsing: now.envelope)
        #expect(envelope.data?["remaining_sessions"] == .number("1"))
        #expect(envelope.data?["already_so"] == .bool(true))
        #expect(envelope.warnings.first?.contains("node2, node3") == true)
    }

    @Test func `a fence returns when it is proven, and says how`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.nodes[0].standing = "fenced"
            view.nodes[0].fenceMethod = "guard_confirmation"
            return ClusterReply(summary: "node1 is fenced")
        }
        let answer = try await run("node.fence", #"{"node":"node1"}"#, on: gateway, wait: .seconds(5))
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["fenced"] == .bool(true))
        #expect(data["method"]?.string == "guard_confirmation")
        let unproven = try await run("node.fence", #"{"node":"node1"}"#, on: example(), wait: .milliseconds(50))
        #expect(unproven.exitStatus == 6)
    }

    @Test func `a restart of PostgreSQL tells for how long it was away`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            var operation = OperationView(id: "op-9", kind: "restart", phase: "completed", startedAt: "x")
            operation.result = .succeeded
            operation.outageSeconds = 0.8
            view.recentOperations = [operation]
            return ClusterReply(operationID: "op-9", summary: "restart of node2 started")
        }
        let answer = try await run("node.restart", #"{"node":"node2"}"#, on: gateway, wait: .seconds(5))
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["downtime_seconds"] == .number("0.8"))
        #expect(data["restarted"] == .bool(true))
        #expect(data["hold_seconds"] == .number("0"))
        #expect(try await run("node.restart", #"{"node":"node2","hold":"1m"}"#, on: gateway).exitStatus == 64)
        #expect(try await run("node.restart", #"{"node":"node2","daemon":true,"postgres":true}"#, on: gateway).exitStatus == 64)
    }

    @Test func `a restart of a daemon is followed until another life of it answers`() async throws {
        let lives = Countdown([1, 1, 1, 2])
        let gateway = RecordedGateway(
            ExampleCluster.healthy,
            nodeBehaviour: { _, request, _ throws(BastionError) in
                guard request == .incarnation else { return .done("restarts") }
                let life = lives.next()
                if life == 1, lives.left == 1 { throw BastionError(.unavailable, "away") }
                return .text("\(life)")
            })
        let answer = try await run("node.restart", #"{"node":"node2","daemon":true}"#, on: gateway, wait: .seconds(20))
        #expect(answer.error == nil)
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["restarted"] == .bool(true))
        #expect(await gateway.questions.contains { $0.request == .restartDaemon(holdSeconds: nil) })
        // The example's own node is the primary's: it answers before it ends.
        let own = try await run("node.restart", #"{"node":"node1","daemon":true,"hold":"2m"}"#, on: gateway, wait: .seconds(20))
        let ownData = try #require(try OperationEnvelope(parsing: own.envelope).data)
        #expect(ownData["hold_seconds"] == .number("120"))
        #expect(ownData["restarted"] == .bool(false))
    }

    @Test func `a restart hold is taken by the primary's own node`() async throws {
        let gateway = RecordedGateway(
            ExampleCluster.healthy,
            nodeBehaviour: { node, request, _ throws(BastionError) in
                guard node.rawValue == "node1" else {
                    throw BastionError(.preconditionFailed, "x", checks: [FailedCheck(id: "node.is_primary")])
                }
                #expect(request == .takeHold(seconds: 300))
                return .changed(ClusterReply(summary: "nobody is promoted for 300 s"))
            })
        await gateway.update {
            $0.hold = HoldView(node: ExampleCluster.name("node1"), seconds: 300, isOrdered: true, until: "2026-02-17T02:05:00Z")
        }
        let answer = try await run("node.restart-hold", #"{"node":"node1","for":"5m"}"#, on: gateway, wait: .seconds(5))
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["active"] == .bool(true))
        #expect(data["until"]?.string == "2026-02-17T02:05:00Z")
        #expect(try await run("node.restart-hold", #"{"node":"node2"}"#, on: gateway).exitStatus == 3)
        #expect(try await run("node.restart-hold", #"{"node":"node1","for":"11m"}"#, on: gateway).exitStatus == 64)
    }

    @Test func `a rejoin uses the address that is known, and a healthy member is left alone`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { request, _ throws(BastionError) in
            #expect(request == .addPeer(name: NodeChangeTests.node2, host: "10.0.1.2", port: 8300, learnerOnly: false))
            return ClusterReply(alreadySo: true, summary: "\"node2\" is already a member")
        }
        let answer = try await run("node.rejoin", #"{"name":"node2"}"#, on: gateway, wait: .seconds(5))
        #expect(answer.exitStatus == 0)
        #expect(try OperationEnvelope(parsing: answer.envelope).data?["already_so"] == .bool(true))
        #expect(try await run("node.rejoin", #"{"name":"node9"}"#, on: gateway).exitStatus == 10)
    }

    @Test func `an overridden check lets the plan pass and says what it passed over`() async throws {
        let gateway = example { $0.nodes[1].lagBytes = 50 << 20 }
        let refused = try await run("switchover", #"{"to":"node2"}"#, on: gateway, dryRun: true)
        #expect(refused.error?.checks.first?.id == "replica.caught_up")
        #expect(refused.error?.checks.first?.overridable == true)
        var passing = try context(gateway, dryRun: true)
        passing.metadata.overrides = ["replica.caught_up"]
        let operation = try #require(Catalogue.operation(named: "switchover"))
        let answer = await operation.answer(input: Array(#"{"to":"node2"}"#.utf8), in: passing)
        #expect(answer.error == nil)
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(try operation.render(data: data.bytes).text.contains("pass  replica.caught_up"))
    }

    @Test func `removing the primary's node by force fails over first`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { request, view throws(BastionError) in
            if case .failover = request {
                var operation = OperationView(id: "op-9", kind: "failover", phase: "settle", startedAt: "x")
                operation.result = .succeeded
                view.recentOperations = [operation]
                return ClusterReply(operationID: "op-9", summary: "failover initiated")
            }
            view.peers.removeFirst()
            return ClusterReply(summary: "peer removed")
        }
        let answer = try await run("peer.remove", #"{"name":"node1","force":true}"#, on: gateway, wait: .seconds(5))
        #expect(answer.error == nil)
        let requests = await gateway.submissions.map(\.request)
        #expect(requests == [.failover(to: nil, allowDataLossBytes: nil), .removePeer(name: ExampleCluster.name("node1"), force: true)])
    }
}
