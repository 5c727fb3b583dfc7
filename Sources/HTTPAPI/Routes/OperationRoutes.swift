import ClusterModel
import Operations

/// Every operation of the catalogue (X14): answers are the envelope of `cli.md`, section 6.
enum OperationRoutes {
    static let routes: [Route] = [
        Route(
            ["GET", "HEAD", "POST"], "/v1/operations/{name}", .operation,
            about: RouteAbout("one operation of the catalogue", rows: ["X14"])
        ) { call throws(BastionError) in
            try await perform(call.parameters["name"] ?? "", input: try input(call), call)
        },
        .get("/v1/ops", about: about("op.list")) { call throws(BastionError) in
            try await perform("op.list", input: [], call)
        },
        .get("/v1/ops/{id}", about: about("op.show")) { call throws(BastionError) in
            let id = JSONValue.object([.init(name: "id", value: .string(call.parameters["id"] ?? ""))])
            return try await perform("op.show", input: id.bytes, call)
        },
        .get("/v1/state", about: about("status")) { call throws(BastionError) in
            try await perform("status", input: [], call)
        },
    ]

    private static func about(_ name: String) -> RouteAbout {
        let answer = RouteAbout.Answer(200, "the envelope") { OperationSchemas.reference(name) }
        let summary = Catalogue.operation(named: name)?.definition.summary ?? name
        return RouteAbout(summary, rows: ["X14"], answers: [answer])
    }

    /// Query fields of every change; `wait` also of reads that wait.
    static func changeFields(_ definition: OperationDefinition) -> [ParameterDefinition] {
        let override = ParameterDefinition(
            name: "override", kind: .textList, help: "pass over this check; needs an admin",
            choices: definition.overridableChecks)
        return [
            RouteCall.waitField,
            ParameterDefinition(name: "dry_run", kind: .flag, help: "check and show the plan, change nothing"),
            ParameterDefinition(
                name: "reason", kind: .text, help: "kept in the audit log and the event",
                limits: ParameterLimits(longest: RequestNotes.longestReason / 4)),
        ] + (override.choices.isEmpty ? [] : [override])
    }

    /// Of the operation in the path of `/v1/operations/NAME`.
    static func definition(_ segments: [String]) -> OperationDefinition? {
        guard segments.count == 3, segments[0] == "v1", segments[1] == "operations" else { return nil }
        return Catalogue.operation(named: segments[2])?.definition
    }

    static func failure(
        _ error: BastionError, kind: String, _ requestID: RequestID, node: APINode
    ) async -> APIResponse {
        var envelope = OperationEnvelope(kind: kind, view: await node.gateway.view(), requestID: requestID)
        envelope.error = error
        return APIResponse(status: error.code.httpStatus, body: envelope.bytes)
    }

    private static func perform(
        _ name: String, input: [UInt8], _ call: RouteCall
    ) async throws(BastionError) -> APIResponse {
        guard let operation = Catalogue.operation(named: name) else {
            throw BastionError(
                .notFound, "there is no operation \"\(name.prefix(100))\"",
                hint: NameSuggestion.hint(for: name, among: Catalogue.names))
        }
        if call.request.method != "POST", operation.definition.risk != .reads {
            throw BastionError(.methodNotAllowed, "operation \"\(name)\" changes something: send it with POST")
        }
        var context = try call.context(waitLimit: try call.waitLimit(), dryRun: try dryRun(call))
        if operation.definition.risk != .reads { try RequestNotes.read(call, operation.definition, into: &context) }
        if operation.definition.risk != .reads {
            try call.require(operation.definition, given: given(input), overrides: context.metadata.overrides)
        }
        let answer = await operation.answer(input: input, in: context)
        return APIResponse(status: answer.error?.code.httpStatus ?? 200, body: answer.envelope)
    }

    /// The body; for a read without one, the query.
    private static func input(_ call: RouteCall) throws(BastionError) -> [UInt8] {
        guard call.request.method != "POST", call.request.body.isEmpty,
            let definition = definition(call.target.segments)
        else { return call.request.body }
        return try QueryInput.read(call.target, definition.parameters, ignoring: ["wait", "dry_run"]).bytes
    }

    private static func dryRun(_ call: RouteCall) throws(BastionError) -> Bool {
        switch call.target.value("dry_run") {
        case nil, "false": return false
        case "true", "": return true
        default: throw BastionError(.invalidRequest, "query field \"dry_run\" must be true or false")
        }
    }

    /// The names of the fields given: some raise the risk, and so the role it takes. Malformed input is refused later.
    private static func given(_ input: [UInt8]) -> [String] {
        do throws(BastionError) {
            return try JSONParser.parse(input).members?.filter { $0.value != .null }.map(\.name) ?? []
        } catch {
            return []
        }
    }
}
