import ClusterModel
import Operations

/// What is said of a route: its one description, from which queries and bodies are checked and the OpenAPI document is made.
struct RouteAbout: Sendable {
    /// One answer that is no error.
    struct Answer: Sendable {
        var status: Int
        var description: String
        var contentType: String
        var schema: @Sendable () -> JSONValue

        init(
            _ status: Int, _ description: String, contentType: String = "application/json",
            schema: @escaping @Sendable () -> JSONValue
        ) {
            self.status = status
            self.description = description
            self.contentType = contentType
            self.schema = schema
        }

        static func json<Body: Decodable & Sendable>(_ status: Int, _ description: String, _ body: Body.Type) -> Answer {
            Answer(status, description) { SchemaReader.schema(of: body) }
        }

        static func text(_ description: String, _ contentType: String) -> Answer {
            Answer(200, description, contentType: contentType) { .record([("type", .string("string"))]) }
        }
    }

    var summary: String
    /// The fields of the query; others are ignored.
    var query: [ParameterDefinition]
    /// The fields of the body; nil: none is read.
    var body: [ParameterDefinition]?
    /// The body of a route whose fields no list can name.
    var bodySchema: JSONValue?
    var answers: [Answer]
    /// Acceptance rows: `E01`.
    var rows: [String]

    init(
        _ summary: String, rows: [String] = [], query: [ParameterDefinition] = [], body: [ParameterDefinition]? = nil,
        bodySchema: JSONValue? = nil, answers: [Answer] = []
    ) {
        self.summary = summary
        self.rows = rows
        self.query = query
        self.body = body
        self.bodySchema = bodySchema
        self.answers = answers
    }

    /// A read whose answer is one kind of document.
    init<Body: Decodable & Sendable>(
        _ summary: String, rows: [String] = [], query: [ParameterDefinition] = [], _ document: Body.Type
    ) {
        self.init(summary, rows: rows, query: query, answers: [.json(200, "the document", document)])
    }
}

/// The fields of a query, compared with what a route says of itself.
enum QueryInput {
    /// An object of the fields given; texts become what their kind asks for.
    ///
    /// - Parameter ignoring: Names that belong to somebody else; nil: every unknown one.
    /// - Throws: `invalid_request` naming the field.
    static func read(
        _ target: RequestTarget, _ fields: [ParameterDefinition], ignoring: Set<String>? = nil
    ) throws(BastionError) -> JSONValue {
        var members: [JSONValue.Member] = []
        for item in target.query {
            guard let field = fields.first(where: { $0.name == item.name }) else {
                if let ignoring, !ignoring.contains(item.name) {
                    members.append(.init(name: item.name, value: .string(item.value)))
                }
                continue
            }
            try add(item, field, to: &members)
        }
        return .object(members)
    }

    private static func add(
        _ item: RequestTarget.QueryItem, _ field: ParameterDefinition, to members: inout [JSONValue.Member]
    ) throws(BastionError) {
        guard let index = members.firstIndex(where: { $0.name == item.name }) else {
            members.append(.init(name: item.name, value: value(item.value, field.kind)))
            return
        }
        guard field.kind == .textList, let before = members[index].value.elements else {
            throw BastionError(.invalidRequest, "query field \"\(item.name.prefix(100))\" is given twice")
        }
        members[index].value = .array(before + [.string(item.value)])
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
