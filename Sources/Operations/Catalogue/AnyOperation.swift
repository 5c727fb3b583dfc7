import ClusterModel

/// An operation without its types: JSON in, JSON out. The surfaces work with this.
package struct AnyOperation: Sendable {
    package let definition: OperationDefinition
    private let describing: @Sendable () -> JSONValue
    private let performing: @Sendable ([UInt8], OperationContext) async throws(BastionError) -> OperationResult
    private let rendering: @Sendable ([UInt8]) throws(BastionError) -> RenderedOutput

    package init<Wrapped: CatalogueOperation>(_ type: Wrapped.Type) {
        let definition = type.definition
        self.definition = definition
        describing = { SchemaReader.schema(of: Wrapped.Output.self) }
        performing = { (bytes: [UInt8], context: OperationContext) async throws(BastionError) -> OperationResult in
            let checked = try InputValidation.check(bytes, against: definition)
            let input = try JSONText.decode(Wrapped.Input.self, from: checked)
            let output = try await type.perform(input, in: context)
            return OperationResult(
                data: try JSONText.encode(output), warnings: output.warnings, exitStatus: output.exitStatus)
        }
        rendering = { (data: [UInt8]) throws(BastionError) -> RenderedOutput in
            let output = try JSONText.decode(Wrapped.Output.self, from: data)
            return RenderedOutput(
                text: output.text, wideText: output.wideText, names: output.names, exitStatus: output.exitStatus)
        }
    }

    /// Decodes `input` strictly, performs, encodes `data`.
    ///
    /// - Throws: `invalid_request` naming the field, or what the operation refuses with.
    package func perform(input: [UInt8], in context: OperationContext) async throws(BastionError) -> OperationResult {
        try await performing(input, context)
    }

    /// As `perform`, with success and failure both as the envelope of `cli.md`, section 6.
    package func answer(input: [UInt8], in context: OperationContext) async -> OperationAnswer {
        let outcome: Result<OperationResult, BastionError>
        do {
            outcome = .success(try await perform(input: input, in: context))
        } catch {
            outcome = .failure(error)
        }
        var envelope = OperationEnvelope(
            kind: definition.resultKind, view: await context.gateway.view(), requestID: context.metadata.requestID)
        switch outcome {
        case .success(let result):
            envelope.warnings += result.warnings
            envelope.setData(result.data)
            return OperationAnswer(envelope: envelope.bytes, error: envelope.error, exitStatus: result.exitStatus)
        case .failure(let error):
            envelope.error = error
            return OperationAnswer(envelope: envelope.bytes, error: error, exitStatus: error.code.exitStatus)
        }
    }

    /// JSON Schema of `data`, made from the type of the output.
    package var outputSchema: JSONValue { describing() }

    /// The text forms of `data` as an envelope carries it.
    package func render(data: [UInt8]) throws(BastionError) -> RenderedOutput { try rendering(data) }

    /// Checks an input without performing: for `docs` tests, completions and the client.
    package func check(input: [UInt8]) throws(BastionError) {
        _ = try InputValidation.check(input, against: definition)
    }
}

/// A finished operation: the JSON of its output, and what surfaces need beside it.
package struct OperationResult: Sendable {
    package var data: [UInt8]
    package var warnings: [String]
    package var exitStatus: Int32
}

package struct OperationAnswer: Sendable {
    package var envelope: [UInt8]
    package var error: BastionError?
    package var exitStatus: Int32
}

package struct RenderedOutput: Sendable, Hashable {
    package var text: String
    package var wideText: String
    package var names: [String]
    package var exitStatus: Int32
}
