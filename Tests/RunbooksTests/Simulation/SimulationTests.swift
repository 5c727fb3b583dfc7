import ClusterModel
import Operations
import Runbooks
import Testing

/// The simulator: built-in documents that fit the schema, effects that repeat and go back.
@Suite struct SimulatorTests {
    @Test(arguments: BuiltinState.allCases)
    func `a built-in document is a state document`(state: BuiltinState) throws {
        let document = try state.document()
        let read = try JSONText.decode(StateDocument.self, from: document.bytes)
        #expect(read.format == "pgbastion-state" && read.source == "simulated")
    }

    @Test(arguments: ["pause", "node.drain", "node.fence", "peer.add", "node.restart-hold"])
    func `what an operation did is undone by its compensation`(name: String) throws {
        let start = try BuiltinState.healthy.document()
        var state = SimulatedState(start)
        let arguments: [String: [(String, JSONValue)]] = [
            "node.drain": [("node", .string("node2"))], "node.fence": [("node", .string("node2"))],
            "peer.add": [("name", .string("node4")), ("address", .string("10.0.1.4"))], "node.restart-hold": [("node", .string("node1"))],
        ]
        let call = OperationInvocation(name, .record(arguments[name] ?? []), runID: "run-1")
        let effect = OperationEffect.of(name)
        let output = try effect.perform(on: &state, call)
        #expect(effect.isSatisfied(state, call))
        #expect(!StateDifference.between(start, state.document).isEmpty)
        let repeated = try effect.perform(on: &state, call)
        #expect(repeated["already_so"] == .bool(true))
        #expect(effect.compensation(call, repeated) == nil)
        let undo = try #require(effect.compensation(call, output))
        _ = try OperationEffect.of(undo.operation).perform(on: &state, undo)
        #expect(!effect.isSatisfied(state, call))
    }

    @Test func `after a switchover there is one primary that everybody follows`() throws {
        var state = SimulatedState(try BuiltinState.healthy.document())
        let call = OperationInvocation("switchover", .record([("to", .string("node3"))]))
        _ = try OperationEffect.of("switchover").perform(on: &state, call)
        #expect(state.primary == "node3" && state["split_brain"] == .bool(false))
        for name in ["node1", "node2"] { #expect(state.field("upstream", of: name) == .string("node3")) }
        #expect(state["cluster.healthy"] == .bool(true))
    }
}
