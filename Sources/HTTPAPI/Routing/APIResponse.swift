import ClusterModel
import Operations

/// One HTTP answer: status, a document, and headers beside the common ones.
package struct APIResponse: Sendable {
    package var status: Int
    package var contentType: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Sent after `body`, for as long as it goes on: an event stream.
    package var stream: AsyncStream<[UInt8]>?
    /// Sent instead of `body`, with its hash and its length behind it.
    package var archive: BuiltArchive?

    package init(
        status: Int, contentType: String = "application/json", headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// One JSON document ended by a newline (Q09).
    static func json(_ value: some Encodable, status: Int = 200) throws(BastionError) -> APIResponse {
        APIResponse(status: status, body: try JSONText.encode(value) + [0x0A])
    }

    /// H06: `error` is a string; `code` and `exit` as in `cli.md`.
    static func failure(_ error: BastionError, requestID: String, status: Int? = nil) -> APIResponse {
        let members =
            [JSONValue.Member(name: "error", value: .string(error.message))]
            + ErrorDocument.members(error, requestID: requestID)
        let sorted = members.sorted { $0.name < $1.name }
        return APIResponse(status: status ?? error.code.httpStatus, body: JSONValue.object(sorted).bytes + [0x0A])
    }

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
