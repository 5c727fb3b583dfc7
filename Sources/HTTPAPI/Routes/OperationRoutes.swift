import ClusterModel
import Operations

/// Every operation of the catalogue (X14): answers are the envelope of `cli.md`, section 6.
enum OperationRoutes {
    static let routes: [Route] = [
        Route(["GET", "HEAD", "POST"], "/v1/operations/{name}", .operation) { call throws(BastionError) in
            try await perform(call.parameters["name"] ?? "", input: try input(call), call)
        },
        .get("/v1/ops") { call throws(BastionError) in try await perform("op.list", input: [], call) },
        .get("/v1/ops/{id}") { call throws(BastionError) in
            let id = JSONValue.object([.init(name: "id", value: .string(call.parameters["id"] ?? ""))])
            return try await perform("op.show", input: id.bytes, call)
        },
    ]

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
        let context = try call.context(waitLimit: try call.waitLimit(), dryRun: try dryRun(call))
        let answer = await operation.answer(input: input, in: context)
        return APIResponse(status: answer.error?.code.httpStatus ?? 200, body: answer.envelope)
    }

    private static func dryRun(_ call: RouteCall) throws(BastionError) -> Bool {
        switch call.target.value("dry_run") {
        case nil, "false": return false
        case "true", "": return true
        default: throw BastionError(.invalidRequest, "query field \"dry_run\" must be true or false")
        }
    }

    /// The body; for a read without one, the query.
    private static func input(_ call: RouteCall) throws(BastionError) -> [UInt8] {
        guard call.request.method != "POST", call.request.body.isEmpty,
            let definition = definition(call.target.segments)
        else { return call.request.body }
        var members: [JSONValue.Member] = []
        for item in call.target.query where item.name != "wait" && item.name != "dry_run" {
            let kind = definition.parameters.first { $0.name == item.name }?.kind ?? .text
            if let index = members.firstIndex(where: { $0.name == item.name }) {
                guard kind == .textList, let before = members[index].value.elements else {
                    throw BastionError(.invalidRequest, "query field \"\(item.name.prefix(100))\" is given twice")
                }
                members[index].value = .array(before + [.string(item.value)])
            } else {
                members.append(.init(name: item.name, value: value(item.value, kind)))
            }
        }
        return JSONValue.object(members).bytes
    }

    /// What does not fit the kind stays a text, and is refused by name later.
    private static func value(_ text: String, _ kind: ParameterDefinition.Kind) -> JSONValue {
        switch kind {
        case .flag where text == "true" || text.isEmpty: .bool(true)
        case .flag where text == "false": .bool(false)
        case .integer: Int64(text).map { .number("\($0)") } ?? .string(text)
        case .textList: .array([.string(text)])
        default: .string(text)
        }
    }
}
