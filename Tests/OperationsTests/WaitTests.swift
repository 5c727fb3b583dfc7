import ClusterModel
import Operations
import Testing

@Suite struct WaitTests {
    private func verdict(_ text: String, _ change: (inout ClusterView) -> Void = { _ in }) throws -> Bool {
        var view = ExampleCluster.healthy
        change(&view)
        return try WaitCondition(text).evaluate(view).met
    }

    @Test func `every condition of the contract is evaluated on the view`() throws {
        for text in [
            "leader", "quorum", "healthy", "primary", "primary=node1", "caught-up", "streaming", "lag<=2MiB", "resumed",
            "version=1.2.0", "role=replica,node=node2", "healthy,node=node2", "lag<=10MiB,node=node3",
            "version=1.2.0,node=node2", "leader,node=node2", "primary,node=node1", "streaming,node=node3",
        ] { #expect(try verdict(text), "\(text)") }
        for text in [
            "paused", "primary=node2", "lag<=1MiB", "role=replica", "role=primary,node=node2", "healthy,node=node9",
            "version=1.3.0", "streaming,node=node1", "lag<=0",
        ] { #expect(try !verdict(text), "\(text)") }
    }

    @Test func `unknown never passes, and a condition over no node does not hold`() throws {
        #expect(try !verdict("lag<=10MiB") { $0.nodes[1].lagBytes = nil })
        #expect(try !verdict("caught-up") { $0.nodes = [$0.nodes[0]] })
        #expect(try !verdict("healthy,node=node2") { $0.peers[1].reachable = false })
        #expect(try !verdict("primary") { $0.primary?.phase = "assigned" })
    }

    @Test func `an unknown condition is refused with the known ones`() throws {
        for text in ["", "helthy", "lag<=x", "node=node2", "role=king", "leader,foo", "primary=", "healthy,node=A B"] {
            let error = #expect(throws: BastionError.self, "\(text)") { try WaitCondition(text) }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test func `P30 waiting ends as soon as the condition holds`() async throws {
        let gateway = example { $0.paused = PauseView(reason: "", by: "x", since: "x", forSeconds: nil) }
        async let answer = run("wait", #"{"conditions":["resumed","leader"]}"#, on: gateway, wait: .seconds(30))
        await gateway.update { $0.paused = nil }
        let data = try #require(try OperationEnvelope(parsing: try await answer.envelope).data)
        #expect(data["conditions"]?.elements?.count == 2)
    }

    @Test func `P30 a wait that runs out is exit 6 with the actual values`() async throws {
        let answer = try await run("wait", #"{"conditions":["primary=node2"]}"#, on: example(), wait: .milliseconds(60))
        #expect(answer.exitStatus == 6)
        #expect(answer.error?.detail == "primary=node2: primary node1 (serving)")
    }

    @Test func `a condition must hold for the time asked for`() async throws {
        let input = #"{"conditions":["leader"],"stable_for":"60ms","interval":"20ms"}"#
        let answer = try await run("wait", input, on: example(), wait: .seconds(20))
        #expect(answer.error == nil)
        let short = try await run(
            "wait", #"{"conditions":["leader"],"stable_for":"1h","interval":"20ms"}"#, on: example(),
            wait: .milliseconds(80))
        #expect(short.exitStatus == 6)
    }

    @Test func `op wait ends as the operation ended`() async throws {
        #expect(try await run("op.wait", #"{"id":"op-48231"}"#, on: example(), wait: .seconds(1)).exitStatus == 0)
        #expect(try await run("op.wait", #"{"id":"op-0"}"#, on: example(), wait: .seconds(1)).exitStatus == 10)
    }
}
