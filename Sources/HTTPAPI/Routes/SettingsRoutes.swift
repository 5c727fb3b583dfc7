import ClusterModel
import Operations

/// Settings of the whole cluster (X07, X12).
enum SettingsRoutes {
    static let routes: [Route] = [
        .get(
            "/config",
            about: RouteAbout("effective settings of the cluster, in Patroni's words", rows: ["X12"], ConfigShape.self)
        ) { call throws(BastionError) in
            try .json(ConfigShape(await call.gateway.view()))
        },
        .get(path, about: RouteAbout(PgconfigGetOperation.definition.summary, rows: ["X07"], ManagedShape.self)) {
            call throws(BastionError) in
            let view = await call.gateway.view()
            return try .json(ManagedShape(PgconfigOutput(view), view))
        },
        Route(["PATCH"], path, .change(.operate), about: patchAbout) { call throws(BastionError) in
            let body = try ParametersBody(call.request.body)
            return try await change(set: body.set, unset: body.unset, body.expectedVersion, call)
        },
        Route(["POST"], path, .change(.operate), about: postAbout) { call throws(BastionError) in
            let body = try ParametersBody(call.request.body)
            let present = await call.gateway.view().postgresParameters?.values ?? [:]
            let left = present.keys.filter { body.set[$0] == nil }
            return try await change(set: body.set, unset: left.sorted(), body.expectedVersion, call)
        },
        Route(["DELETE"], path, .change(.operate), about: deleteAbout) { call throws(BastionError) in
            let present = await call.gateway.view().postgresParameters?.values ?? [:]
            let names = call.query["name"]?.elements?.compactMap(\.string) ?? present.keys.sorted()
            return try await change(set: [:], unset: names.map { $0.lowercased() }, nil, call)
        },
    ]

    private static let path = "/cluster/postgresql"

    private static let patchAbout = RouteAbout(
        "change managed settings; null stops managing one", rows: ["X07"], query: [RouteCall.waitField],
        bodySchema: ParametersBody.schema, answers: [.json(200, "committed", ManagedShape.self)])
    private static let postAbout = RouteAbout(
        "replace all managed settings by these", rows: ["X07"], query: [RouteCall.waitField],
        bodySchema: ParametersBody.schema, answers: [.json(200, "committed", ManagedShape.self)])
    private static let deleteAbout = RouteAbout(
        "stop managing these settings, or all of them; each node goes back to its own configuration", rows: ["X07"],
        query: [
            RouteCall.waitField,
            ParameterDefinition(
                name: "name", kind: .textList, help: "the setting", example: "work_mem",
                limits: ParameterLimits(longest: 63, allowsEmpty: false)),
        ], answers: [.json(200, "committed", ManagedShape.self)])

    private static func change(
        set: [String: String], unset: [String], _ version: Int?, _ call: RouteCall
    ) async throws(BastionError) -> APIResponse {
        let context = try call.context(waitLimit: try call.waitLimit())
        let change = PgconfigChange(set: set, unset: unset, expectedVersion: version)
        guard !set.isEmpty || !unset.isEmpty else {
            let view = await call.gateway.view()
            return try .json(ManagedShape(PgconfigOutput(view), view))
        }
        let output = try await change.carryOut(in: context)
        return try .json(ManagedShape(output, await call.gateway.view()))
    }
}

/// `GET /cluster/postgresql` (X07).
struct ManagedShape: Codable, Sendable {
    var parameters: [String: String]
    var version: UInt64
    @Nullable var updatedAt: String?
    @Nullable var updatedBy: String?
    /// Whether a setting waits for a restart of any node's server.
    var pendingRestart: Bool
    var pendingRestartParams: [PgconfigOutput.Pending]
    /// What this node's server has taken; null while it was not read.
    @Nullable var lastAppliedVersion: UInt64?
    var capturedAt: String

    init(_ output: PgconfigOutput, _ view: ClusterView) {
        parameters = output.parameters
        version = output.version
        updatedAt = output.updatedAt
        updatedBy = output.updatedBy
        pendingRestart = !output.pendingRestart.isEmpty
        pendingRestartParams = output.pendingRestart
        lastAppliedVersion = output.applied[view.node.rawValue]
        capturedAt = view.capturedAt
    }
}

/// `{"parameters":{NAME:VALUE,…},"expected_version":N}`; numbers and booleans are taken as PostgreSQL writes them.
struct ParametersBody {
    var set: [String: String] = [:]
    var unset: [String] = []
    var expectedVersion: Int?

    static let schema = JSONValue.record([
        ("type", .string("object")), ("additionalProperties", .bool(false)), ("required", .array([.string("parameters")])),
        (
            "properties",
            .record([
                (
                    "parameters",
                    .record([
                        ("type", .string("object")), ("minProperties", .number("0")),
                        (
                            "additionalProperties",
                            .record([("type", .array(["string", "number", "boolean", "null"].map(JSONValue.string)))])
                        ),
                    ])
                ),
                (
                    "expected_version",
                    .record([("type", .string("integer")), ("minimum", .number("0")), ("maximum", .number("\(Int64.max)"))])
                ),
            ])
        ),
    ])

    init(_ bytes: [UInt8]) throws(BastionError) {
        let document = try JSONParser.parse(bytes)
        guard let members = document.members else {
            throw BastionError(.invalidRequest, "the input must be a JSON object, not \(document.kindName)")
        }
        for member in members where !["parameters", "expected_version"].contains(member.name) {
            throw BastionError(.invalidRequest, "unknown field \"\(member.name.prefix(100))\"")
        }
        guard let parameters = document["parameters"]?.members else {
            throw BastionError(
                .invalidRequest, "field \"parameters\" must be an object", hint: #"example: {"parameters":{"work_mem":"64MB"}}"#)
        }
        if let version = document["expected_version"] {
            guard let number = version.integer, number >= 0 else {
                throw BastionError(.invalidRequest, "field \"expected_version\" must be a number of at least 0")
            }
            expectedVersion = Int(number)
        }
        for member in parameters { try add(member) }
    }

    private mutating func add(_ member: JSONValue.Member) throws(BastionError) {
        let name = member.name.lowercased()
        guard set[name] == nil, !unset.contains(name) else {
            throw BastionError(.invalidRequest, "setting \"\(name.prefix(100))\" is given twice")
        }
        switch member.value {
        case .string(let text), .number(let text): set[name] = text
        case .bool(let value): set[name] = value ? "on" : "off"
        case .null: unset.append(name)
        case .array, .object:
            throw BastionError(
                .invalidRequest, "setting \"\(name.prefix(100))\" must be a string, a number or a boolean, not \(member.value.kindName)")
        }
    }
}
