import ClusterModel
import Operations
import Testing

@Suite struct UpgradeCheckTests {
    private func gateway(
        _ change: (inout ClusterView) -> Void = { _ in }, facts: @escaping @Sendable (NodeName, inout NodeDiagnosis) -> Void = { _, _ in }
    ) -> RecordedGateway {
        var view = DiagnosisFixture.view
        change(&view)
        return RecordedGateway(
            view,
            nodeBehaviour: { node, request, view throws(BastionError) in
                var told = DiagnosisFixture.healthy(node)
                facts(node, &told)
                return .diagnosis(told)
            })
    }

    private func report(_ version: String, state: (Int, Int) = (1, 1), wire: (Int, Int) = (1, 1), errors: [String] = []) throws -> String {
        let list = JSONValue.array(errors.map { .string($0) })
        let text = """
            {"path":"/tmp/new","version":"\(version)","config_version":1,"config_errors":\(String(decoding: list.bytes, as: UTF8.self)),
            "state_schema":{"read_min":\(state.0),"read_max":\(state.1),"write":\(state.1)},"protocol":{"min":\(wire.0),"max":\(wire.1)}}
            """
        return String(decoding: JSONValue.object([.init(name: "binary_report", value: .string(text))]).bytes, as: UTF8.self)
    }

    @Test func `a healthy cluster is ready, and its primary comes last (P31)`() async throws {
        let answer = try await run("upgrade-check", on: gateway())
        #expect(answer.exitStatus == 0)
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["order"]?.elements?.compactMap(\.string) == ["node3", "node2", "node1"])
        #expect(data["to"] == .null)
    }

    @Test func `what makes a cluster not ready is found: a node away, an operation, a long lag`() async throws {
        let broken: [@Sendable (inout ClusterView) -> Void] = [
            { $0.nodes[2].healthy = false }, { $0.peers[2].reachable = false },
            { $0.operation = OperationView(id: "op-1", kind: "failover", phase: "fence", startedAt: "") },
            { $0.nodes[1].lagBytes = 1 << 30 },
            { $0.raft.failuresTolerated = 0 }, { $0.nodes[2].version = "1.3.0" },
            {
                $0.directives = [
                    DirectiveView(
                        id: "d", type: "clone", targetNode: DiagnosisFixture.node3, status: "pending", createdAt: "2026-02-17T02:00:00Z",
                        term: 1)
                ]
            },
        ]
        for change in broken { #expect(try await run("upgrade-check", on: gateway(change)).exitStatus == 2) }
        #expect(try await run("upgrade-check", on: gateway(facts: { $1.machine.directories[0].freeBytes = 1 })).exitStatus == 2)
    }

    @Test func `a version nobody knows is not_found, and its binary can tell`() async throws {
        #expect(try await run("upgrade-check", #"{"to":"9.9.9"}"#, on: gateway()).exitStatus == 10)
        #expect(try await run("upgrade-check", try report("1.1.0"), on: gateway()).exitStatus == 0)
        #expect(try await run("upgrade-check", #"{"binary":"/bin/sh"}"#, on: gateway()).error?.code == .invalidRequest)
    }

    @Test func `two minors, a major, another state or protocol are refused (P28)`() async throws {
        for input in [
            try report("1.2.0"), try report("2.0.0"), try report("0.9.0"), try report("1.1.0", state: (2, 2)),
            try report("1.1.0", wire: (2, 3)),
            try report("1.1.0", errors: ["unknown key"]),
        ] {
            #expect(try await run("upgrade-check", input, on: gateway()).exitStatus == 2, "\(input)")
        }
    }

    @Test func `a downgrade is judged by what the older version reads, before anything is touched (P33)`() async throws {
        func down(_ input: String) -> String { input.dropLast() + #","downgrade":true}"# }
        let older: @Sendable (inout ClusterView) -> Void = { view in
            view.version = "1.1.0"
            for index in view.nodes.indices { view.nodes[index].version = "1.1.0" }
        }
        #expect(try await run("upgrade-check", down(try report("1.0.0")), on: gateway(older)).exitStatus == 0)
        let answer = try await run("upgrade-check", down(try report("1.0.0", state: (0, 0))), on: gateway(older))
        #expect(answer.exitStatus == 2)
        #expect(String(decoding: answer.envelope, as: UTF8.self).contains("do not start that version on this state"))
        #expect(try await run("upgrade-check", try report("1.0.0"), on: gateway(older)).exitStatus == 2)
    }

    @Test func `versions compare by number`() throws {
        let versions = try ["1.10.0", "1.9.9", "1.9.10-rc1"].map { try #require(SemanticVersion($0)) }
        #expect(versions.sorted().map(\.description) == ["1.9.9", "1.9.10", "1.10.0"])
        #expect(SemanticVersion("1.0") == nil && SemanticVersion("a.b.c") == nil)
    }
}
