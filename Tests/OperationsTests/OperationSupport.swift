import ClusterModel
import Operations
import Testing

/// Runs one operation over a value.
func run(
    _ name: String, _ input: String = "{}", on gateway: RecordedGateway, wait: Duration? = nil, dryRun: Bool = false
) async throws -> OperationAnswer {
    let operation = try #require(Catalogue.operation(named: name))
    return await operation.answer(input: Array(input.utf8), in: try context(gateway, wait: wait, dryRun: dryRun))
}

func context(_ gateway: RecordedGateway, wait: Duration? = nil, dryRun: Bool = false) throws -> OperationContext {
    let id = try #require(RequestID("7f3a9c21"))
    return OperationContext(
        gateway: gateway, metadata: RequestMetadata(requestID: id, actor: "test"), waitLimit: wait, dryRun: dryRun)
}

/// The text form a client prints.
func text(_ name: String, _ input: String = "{}", on gateway: RecordedGateway, wide: Bool = false) async throws
    -> String
{
    let answer = try await run(name, input, on: gateway)
    #expect(answer.error == nil)
    let envelope = try OperationEnvelope(parsing: answer.envelope)
    let data = try #require(envelope.data)
    let rendered = try #require(Catalogue.operation(named: name)).render(data: data.bytes)
    return wide ? rendered.wideText : rendered.text
}

func example(_ change: (inout ClusterView) -> Void = { _ in }) -> RecordedGateway {
    var view = ExampleCluster.healthy
    change(&view)
    return RecordedGateway(view)
}

/// A generator with a fixed seed: the same mutations every time.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
