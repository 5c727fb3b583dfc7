import ClusterModel
import Operations

/// The API as an OpenAPI 3.1 document: a projection of the route table and the catalogue, nothing else.
package enum OpenAPIDocument {
    /// One line with a newline at its end.
    package static let bytes: [UInt8] = value.bytes + [0x0A]

    package static var value: JSONValue {
        .record([
            ("openapi", .string("3.1.0")),
            (
                "info",
                .record([
                    ("title", .string("pgbastion")), ("version", .string(BuildInformation.version)),
                    ("description", .string(description)),
                    ("license", .record([("name", .string("see LICENSE"))])),
                ])
            ),
            ("paths", .record(paths)),
            (
                "components",
                .record([
                    ("schemas", .record(schemas)), ("responses", .record(OpenAPIOperation.errorComponents)),
                    ("headers", .record([("RequestID", OpenAPIOperation.requestIDHeader)])),
                    ("parameters", .record([("IdempotencyKey", OpenAPIOperation.idempotencyKeyParameter)])),
                    (
                        "securitySchemes",
                        .record([("token", .record([("type", .string("http")), ("scheme", .string("bearer"))]))])
                    ),
                ])
            ),
        ])
    }

    private static var schemas: [(String, JSONValue)] {
        let failure = OperationSchemas.envelope(kind: nil, data: .object([]), error: OperationSchemas.envelopeError)
        return [("Error", OperationSchemas.errorBody), ("ErrorEnvelope", failure)]
            + Catalogue.operations.map { ($0.definition.resultKind, OperationSchemas.envelope($0.definition.name)) }
    }

    private static let description = """
        Every node answers every request: what another node must do is passed on over the Raft port. Bodies are JSON whatever \
        Content-Type says. Over the unix socket no token is needed.
        """

    /// `GET /raft/state`, ...: what the document lists, in the route table's words.
    package static var listed: [String] {
        paths.flatMap { path, methods in (methods.members ?? []).map { "\($0.name.uppercased()) \(path)" } }
    }

    private static var paths: [(String, JSONValue)] {
        let routes = RouteTable.all.filter { $0.template != operationTemplate }
        let plain = Set(routes.map(\.template)).sorted().map { path in
            let methods = routes.filter { $0.template == path }.flatMap { route in
                route.methods.map { ($0.lowercased(), OpenAPIOperation.plain(route, $0)) }
            }
            return (path, JSONValue.record(methods))
        }
        return plain
            + Catalogue.operations.map { operation in
                let definition = operation.definition
                let methods = definition.risk == .reads ? ["GET", "HEAD", "POST"] : ["POST"]
                let items = methods.map { ($0.lowercased(), OpenAPIOperation.catalogue(definition, $0)) }
                return ("/v1/operations/\(definition.name)", JSONValue.record(items))
            }
    }

    /// Listed once for every operation.
    package static let operationTemplate = "/v1/operations/{name}"
}

/// One method of one path.
enum OpenAPIOperation {
    static func plain(_ route: Route, _ method: String) -> JSONValue {
        let about = route.about
        let isVersioned = route.template.hasPrefix("/v1/")
        var members: [(String, JSONValue)] = [
            ("operationId", .string(identifier(method, route.template))), ("summary", .string(about.summary)),
            ("tags", .array([.string(tag(route.template))])), ("security", security(route.access)),
            ("parameters", .array(pathParameters(route.template) + about.query.map(parameter) + headers(method))),
        ]
        if let body = about.body { members.append(("requestBody", requestBody(body))) }
        if let schema = about.bodySchema { members.append(("requestBody", requestBody(schema, isRequired: true))) }
        let isChange = if case .change = route.access { true } else { false }
        var responses = about.answers.map { ("\($0.status)", response($0, method)) }
        let known = Set(about.answers.map(\.status))
        let hasPath = route.template.contains("{")
        for status in errors(isChange: isChange, hasPath: hasPath) where !known.contains(status) {
            responses.append(("\(status)", error(status, isVersioned: isVersioned, method)))
        }
        members.append(("responses", .record(responses)))
        return .record(members)
    }

    static func catalogue(_ definition: OperationDefinition, _ method: String) -> JSONValue {
        let isChange = definition.risk != .reads
        let path = "/v1/operations/\(definition.name)"
        let fields = isChange ? OperationRoutes.changeFields(definition) : [RouteCall.waitField]
        let query = method == "POST" ? fields : definition.parameters + [RouteCall.waitField]
        let text = [definition.discussion, "Role: \(definition.requiredRole().rawValue)."].filter { !$0.isEmpty }
        var members: [(String, JSONValue)] = [
            ("operationId", .string(identifier(method, path))), ("summary", .string(definition.summary)),
            ("description", .string(text.joined(separator: " "))), ("tags", .array([.string("operations")])),
            ("security", security(definition.requiredRole() == .read ? .read : .change(.operate))),
            ("parameters", .array(query.map(parameter) + headers(method))),
        ]
        if method == "POST" { members.append(("requestBody", requestBody(definition.parameters))) }
        let answer = RouteAbout.Answer(200, "the envelope") { OperationSchemas.reference(definition.name) }
        let responses =
            [("200", response(answer, method))]
            + errors(isChange: isChange, hasPath: true).map { ("\($0)", error($0, isVersioned: true, method)) }
        members.append(("responses", .record(responses)))
        return .record(members)
    }

    // MARK: Parts

    /// `get_raft_directives_id`
    private static func identifier(_ method: String, _ path: String) -> String {
        let words = path.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
        return ([method.lowercased()[...]] + (words.isEmpty ? ["root"] : words)).joined(separator: "_")
    }

    private static func tag(_ path: String) -> String {
        path.split(separator: "/").first.map { $0 == "v1" ? "operations" : String($0) } ?? "probes"
    }

    private static func security(_ access: Route.Access) -> JSONValue {
        let token = JSONValue.record([("token", .array([]))])
        return switch access {
        case .change: .array([token])
        // Open unless `api.protect_reads` is set.
        case .read, .operation: .array([.object([]), token])
        case .probe: .array([])
        }
    }

    private static func pathParameters(_ template: String) -> [JSONValue] {
        template.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            .record([
                ("name", .string(String(part.dropFirst().dropLast()))), ("in", .string("path")), ("required", .bool(true)),
                ("schema", .record([("type", .string("string")), ("minLength", .number("1")), ("maxLength", .number("200"))])),
            ])
        }
    }

    private static func parameter(_ field: ParameterDefinition) -> JSONValue {
        .record([
            ("name", .string(field.name)), ("in", .string("query")), ("required", .bool(field.isRequired)),
            ("description", .string(field.help)), ("schema", ParameterSchema.schema(field)),
        ])
    }

    private static func headers(_ method: String) -> [JSONValue] {
        guard method == "POST" || method == "PATCH" || method == "DELETE" else { return [] }
        return [reference("parameters", "IdempotencyKey")]
    }

    static var idempotencyKeyParameter: JSONValue {
        let name = JSONValue.record([("type", .string("string")), ("pattern", .string("^[A-Za-z0-9._-]{1,128}$"))])
        return .record([
            ("name", .string("Idempotency-Key")), ("in", .string("header")), ("required", .bool(false)),
            ("description", .string("the same key within 7 days returns the first outcome and does nothing")),
            ("schema", name),
        ])
    }

    private static func reference(_ section: String, _ name: String) -> JSONValue {
        .record([("$ref", .string("#/components/\(section)/\(name)"))])
    }

    private static func requestBody(_ fields: [ParameterDefinition]) -> JSONValue {
        requestBody(ParameterSchema.input(fields), isRequired: fields.contains(where: \.isRequired))
    }

    private static func requestBody(_ schema: JSONValue, isRequired: Bool) -> JSONValue {
        .record([
            ("required", .bool(isRequired)),
            ("content", .record([("application/json", .record([("schema", schema)]))])),
        ])
    }

    private static func response(_ answer: RouteAbout.Answer, _ method: String) -> JSONValue {
        response(answer.description, answer.contentType, answer.schema(), method)
    }

    private static func error(_ status: Int, isVersioned: Bool, _ method: String) -> JSONValue {
        reference("responses", ErrorBody(isVersioned: isVersioned, method).component(status))
    }

    /// How the body of an error looks: outside `/v1`, in the envelope, or not at all.
    private enum ErrorBody: String, CaseIterable {
        case plain = "Error"
        case envelope = "EnvelopeError"
        case none = "HeadError"

        init(isVersioned: Bool, _ method: String) { self = method == "HEAD" ? .none : isVersioned ? .envelope : .plain }

        /// `EnvelopeError404`
        func component(_ status: Int) -> String { "\(rawValue)\(status)" }
    }

    /// `components.responses`: every error in every form, told once.
    static var errorComponents: [(String, JSONValue)] {
        ErrorBody.allCases.flatMap { body in
            errors(isChange: true, hasPath: true).map { status in
                // What is refused before its path is read has the plain body.
                let isEarly = [400, 408, 413].contains(status)
                let either = JSONValue.record([
                    ("anyOf", .array([reference("schemas", "ErrorEnvelope"), reference("schemas", "Error")]))
                ])
                let envelope = isEarly ? either : reference("schemas", "ErrorEnvelope")
                let schema = body == .envelope ? envelope : reference("schemas", "Error")
                let answer = response(statusText(status), "application/json", schema, body == .none ? "HEAD" : "GET")
                return (body.component(status), answer)
            }
        }
    }

    private static func response(_ text: String, _ type: String, _ schema: JSONValue, _ method: String) -> JSONValue {
        let content: [(String, JSONValue)] =
            method == "HEAD" ? [] : [("content", .record([(type, .record([("schema", schema)]))]))]
        let headers = JSONValue.record([("X-Request-ID", reference("headers", "RequestID"))])
        return .record([("description", .string(text)), ("headers", headers)] + content)
    }

    static var requestIDHeader: JSONValue {
        .record([
            ("description", .string("the id of the request, sent or made here")),
            ("schema", .record([("type", .string("string"))])), ("required", .bool(true)),
        ])
    }

    /// The errors a route can be answered with, beyond those of its own.
    private static func errors(isChange: Bool, hasPath: Bool) -> [Int] {
        let reads = [400, 401, 403, 408, 413, 429, 500, 503] + (hasPath ? [404, 409, 422, 504] : [])
        return Set(isChange ? reads + [404, 409, 422, 504] : reads).sorted()
    }

    private static func statusText(_ status: Int) -> String {
        switch status {
        case 400: "the request is malformed; the message names the field"
        case 401: "a token is needed"
        case 403: "the token is wrong, or its role is too low"
        case 404: "something named here does not exist"
        case 408: "the body did not arrive in time"
        case 409: "refused: a check says no, or an operation is in progress; nothing was changed"
        case 413: "the body is larger than 1 MiB"
        case 422: "something does not fit: a checksum, an identity, a file"
        case 429: "too many changes or failed authentications from this address; see Retry-After"
        case 500: "it failed; `code` says whether something was changed"
        case 503: "no leader, no quorum, or busy; the same may work later"
        default: "the deadline passed; it may still go on"
        }
    }
}
