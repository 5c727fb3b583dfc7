import ClusterModel
import HTTPAPI
import Operations
import Testing

/// The OpenAPI document against the routes, and the answers against the document.
@Suite struct OpenAPITests {
    private func document() throws -> JSONValue { try JSONParser.parse(OpenAPIDocument.bytes) }

    /// What a `$ref` into the components stands for.
    private func resolved(_ value: JSONValue?, in document: JSONValue) -> JSONValue? {
        guard let path = value?["$ref"]?.string else { return value }
        return path.split(separator: "/").dropFirst().reduce(document as JSONValue?) { $0?[String($1)] }
    }

    @Test func `X14 the document lists every route served and none else`() throws {
        let operations = Catalogue.operations.flatMap { operation in
            (operation.definition.risk == .reads ? ["GET", "HEAD", "POST"] : ["POST"]).map {
                "\($0) /v1/operations/\(operation.definition.name)"
            }
        }
        let served = RouteTable.served.filter { !$0.hasSuffix(OpenAPIDocument.operationTemplate) } + operations
        #expect(Set(OpenAPIDocument.listed) == Set(served))
        #expect(OpenAPIDocument.listed.count == served.count, "a route is listed twice")
    }

    @Test func `X14 every route has a summary, answers and a unique operation id`() throws {
        var ids: Set<String> = []
        for path in try #require(try document()["paths"]?.members) {
            for method in try #require(path.value.members) {
                let name = "\(method.name) \(path.name)"
                #expect(method.value["summary"]?.string?.isEmpty == false, "\(name) has no summary")
                #expect(method.value["responses"]?["200"] != nil, "\(name) has no answer")
                #expect(ids.insert(try #require(method.value["operationId"]?.string)).inserted, "\(name): id used twice")
            }
        }
    }

    @Test func `X14 no schema says "anything" where a type says more`() throws {
        for schema in try #require(try document()["components"]?["schemas"]?.members) where schema.name.hasSuffix("Result") {
            let data = try #require(schema.value["properties"]?["data"])
            #expect(blanks(data, at: "data") == [], "\(schema.name)")
        }
    }

    /// Places whose schema is empty.
    private func blanks(_ schema: JSONValue, at path: String) -> [String] {
        guard let members = schema.members else { return [] }
        if members.isEmpty { return [path] }
        let properties = schema["properties"]?.members?.flatMap { blanks($0.value, at: "\(path).\($0.name)") } ?? []
        let inner = ["items", "additionalProperties"].flatMap { name in
            schema[name].map { $0 == .bool(false) ? [] : blanks($0, at: "\(path).\(name)") } ?? []
        }
        return properties + inner
    }

    @Test func `X14 what reads answer is what the document says, field by field`() async throws {
        let api = TestAPI()
        let document = try document()
        for path in try #require(document["paths"]?.members) {
            guard let get = path.value["get"], path.name != "/events", !path.name.contains("{") else { continue }
            let response = await api.send("GET", path.name)
            let stated = resolved(get["responses"]?["\(response.status)"], in: document)
            #expect(stated != nil, "GET \(path.name): \(response.status) is not in the document")
            #expect(stated?["content"]?[response.contentType] != nil || response.contentType.contains(";"), "GET \(path.name)")
            guard response.contentType == "application/json" else { continue }
            let schema = stated?["content"]?["application/json"]?["schema"]
            let complaints = SchemaCheck(document).complaints(try JSONParser.parse(response.body), try #require(schema))
            #expect(complaints == [], "GET \(path.name)")
        }
    }

    @Test func `X14 what changes answer is what the document says`() async throws {
        let document = try document()
        let bodies = [
            "/raft/add-peer": #"{"id":"node4","address":"10.0.1.4"}"#, "/raft/remove-peer": #"{"id":"node3"}"#,
            "/cluster/switchover": #"{"to":"node2"}"#, "/cluster/failover": #"{"to":"node2"}"#,
        ]
        for path in try #require(document["paths"]?.members) where !path.name.hasPrefix("/v1/") {
            for method in path.value.members ?? [] where ["post", "patch", "delete"].contains(method.name) {
                for body in [bodies[path.name] ?? "{}", "{", #"{"strange":1}"#] {
                    let response = await TestAPI().send(method.name.uppercased(), path.name, body: body)
                    let stated = resolved(method.value["responses"]?["\(response.status)"], in: document)
                    #expect(stated != nil, "\(method.name) \(path.name): \(response.status) is not in the document")
                    let schema = stated?["content"]?["application/json"]?["schema"]
                    let answer = try JSONParser.parse(response.body)
                    #expect(SchemaCheck(document).complaints(answer, try #require(schema)) == [], "\(method.name) \(path.name)")
                }
            }
        }
    }
}
