import ClusterModel
import Operations
import Synchronization

/// Answers calls by a function and remembers them.
final class FakeInvoker: OperationInvoker {
    private let answer: @Sendable (OperationCall) async throws(BastionError) -> [UInt8]
    private let remembered = Mutex<[OperationCall]>([])

    init(_ answer: @escaping @Sendable (OperationCall) async throws(BastionError) -> [UInt8]) { self.answer = answer }

    var calls: [OperationCall] { remembered.withLock { $0 } }
    /// Without those that only read the progress.
    var ownCalls: [OperationCall] { calls.filter { !$0.requestID.rawValue.hasSuffix("-progress") } }

    func invoke(_ call: OperationCall) async throws(BastionError) -> [UInt8] {
        remembered.withLock { $0.append(call) }
        return try await answer(call)
    }

    /// The real operations over the sample cluster.
    static func sampleCluster() -> FakeInvoker {
        FakeInvoker { (call: OperationCall) async throws(BastionError) -> [UInt8] in
            guard let operation = Catalogue.operation(named: call.operation) else {
                throw BastionError(.notFound, "no operation \"\(call.operation)\"")
            }
            let metadata = RequestMetadata(
                requestID: call.requestID, actor: "test", reason: call.reason, overrides: call.overrides)
            let context = OperationContext(
                gateway: SampleGateway(), metadata: metadata, waitLimit: .milliseconds(1), dryRun: call.dryRun)
            return await operation.answer(input: call.input, in: context).envelope
        }
    }

    static func failing(_ error: BastionError) -> FakeInvoker {
        FakeInvoker { (_: OperationCall) async throws(BastionError) -> [UInt8] in throw error }
    }
}
