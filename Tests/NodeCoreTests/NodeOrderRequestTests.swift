import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// Requests about single nodes, as their leader answers them.
@Suite struct NodeOrderRequestTests {
    @Test func `drain and undrain are replicated, and a repetition is so already (PX3)`() throws {
        let bench = try two()
        let drained = try #require(bench.ask("a", .drain(node: name("b"), timeoutSeconds: 2.5))).get()
        #expect(!drained.alreadySo)
        bench.run(until: { bench.state("b").nodes[name("b")]?.drained == true })
        #expect(bench.state("b").nodes[name("b")]?.drainMilliseconds == 2500)
        #expect(try #require(bench.ask("a", .drain(node: name("b"), timeoutSeconds: nil))).get().alreadySo)
        #expect(bench.view("b")?.node(name("b"))?.drained == true)
        #expect(!(try #require(bench.ask("a", .undrain(node: name("b")))).get().alreadySo))
        #expect(try #require(bench.ask("a", .undrain(node: name("b")))).get().alreadySo)
    }

    @Test func `orders to nodes that are unknown or have no data are refused with their reason`() throws {
        let bench = try two()
        for request: ClusterRequest in [
            .drain(node: name("x"), timeoutSeconds: nil), .fence(node: name("x")), .unfence(node: name("x")), .restart(node: name("x")),
            .releaseHold(node: name("x")), .cancelOperation(id: "op-9"), .cancelDirective(id: "d"),
        ] {
            #expect(failure(bench.ask("a", request))?.code == .notFound, "\(request)")
        }
        #expect(failure(bench.ask("a", .fence(node: name("b"))))?.checks.first?.id == "node.has_data")
        #expect(failure(bench.ask("a", .restart(node: name("b"))))?.checks.first?.id == "node.has_data")
        #expect(try #require(bench.ask("a", .releaseHold(node: name("b")))).get().alreadySo)
        #expect(try #require(bench.ask("a", .unfence(node: name("b")))).get().alreadySo)
    }

    @Test func `a hold is taken only where the primary serves (4_8)`() throws {
        let bench = try two()
        for node in ["a", "b"] {
            #expect(failure(bench.ask(node, .takeHold(seconds: 60)))?.checks.first?.id == "node.is_primary")
        }
    }

    @Test func `a check that is overridden does not refuse a removal, an unsafe one says that it may be passed`() throws {
        let bench = try two()
        try bench.add("c")
        bench.cut = ["c"]
        bench.run(seconds: 3)
        let error = try #require(failure(bench.ask("a", .removePeer(name: name("b"), force: false))))
        #expect(error.checks.first?.id == "membership.removal_safe")
        #expect(error.checks.first?.overridable == true)
        #expect(error.hint?.contains("--override membership.removal_safe") == true)
    }

    private func two() throws -> TestNodes {
        let bench = try TestNodes("a")
        try bench.add("b")
        return bench
    }

    private func failure(_ result: Result<ClusterReply, BastionError>?) -> BastionError? {
        if case .failure(let error) = result { error } else { nil }
    }
}

extension ClusterView {
    fileprivate func node(_ name: NodeName) -> NodeView? { nodes.first { $0.name == name } }
}
