import ClusterModel
import Operations

/// The one document of a command (`cli.md` section 6), read from the daemon or made here when none answered.
struct ResultEnvelope: Sendable {
    private var content: OperationEnvelope
    /// As the daemon wrote it: members this release does not know stay in it.
    private var document: JSONValue

    /// What a daemon answered; throws when it is no envelope of format version 1.
    init(parsing bytes: [UInt8]) throws(BastionError) {
        content = try OperationEnvelope(parsing: bytes)
        document = try JSONParser.parse(bytes)
    }

    /// A result made on this machine.
    init(
        kind: String, requestID: RequestID, capturedAt: String, data: JSONValue?, warnings: [String] = [], error: BastionError? = nil
    ) throws(BastionError) {
        var content = OperationEnvelope(kind: kind, capturedAt: capturedAt, requestID: requestID)
        content.data = data
        content.warnings = warnings
        content.error = error
        try self.init(parsing: content.bytes)
    }

    var data: JSONValue { content.data ?? .null }
    var clusterName: String? { content.clusterName }
    var warnings: [String] { content.warnings }
    var requestID: String { content.requestID }
    /// nil when the operation succeeded.
    var error: BastionError? { content.error }
    /// What the daemon says decides, so that a newer daemon's codes keep their status; 0 without an error.
    var exitStatus: Int32 {
        guard let error = content.error else { return 0 }
        let told = document["error"]?["exit"]?.integer.flatMap { Int32(exactly: $0) }
        return told.flatMap { (1...255).contains($0) ? $0 : nil } ?? error.code.exitStatus
    }
    var value: JSONValue { document }
    /// One line of JSON without a newline.
    var json: String { String(decoding: document.bytes, as: UTF8.self) }

    mutating func replaceData(_ data: JSONValue) {
        content.data = data
        guard case .object(var members) = document else { return }
        for index in members.indices where members[index].name == "data" { members[index].value = data }
        document = .object(members)
    }
}
