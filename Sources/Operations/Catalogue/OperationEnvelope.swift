import ClusterModel

/// The one JSON document of every operation, on success and on failure (`cli.md`, section 6).
package struct OperationEnvelope: Sendable {
    package static let formatVersion = "1.0"

    package var kind: String
    package var clusterID: String?
    package var clusterName: String?
    package var node: String?
    package var capturedAt: String
    package var staleSeconds: Double
    package var requestID: String
    package var data: JSONValue?
    package var warnings: [String] = []
    package var error: BastionError?

    /// An answer that knows neither cluster nor node: local commands, and a client that reached nobody.
    package init(kind: String, capturedAt: String, requestID: RequestID) {
        self.kind = kind
        self.capturedAt = capturedAt
        self.requestID = requestID.rawValue
        staleSeconds = 0
    }

    package init(kind: String, view: ClusterView, requestID: RequestID) {
        self.init(kind: kind, capturedAt: view.capturedAt, requestID: requestID)
        clusterID = view.clusterID?.short
        clusterName = view.clusterName
        node = view.node.rawValue
        staleSeconds = view.staleSeconds
        if view.staleSeconds > 0 {
            warnings = ["no contact with a leader for \(DecimalText.age(view.staleSeconds)); this may be out of date"]
        }
    }

    package mutating func setData(_ bytes: [UInt8]) {
        do {
            data = try JSONParser.parse(bytes)
        } catch {
            self.error = BastionError(.internal, "cannot encode the answer", detail: error.message)
        }
    }

    /// One line with a newline at its end; names sorted.
    package var bytes: [UInt8] {
        let cluster: JSONValue =
            clusterName.map { name in
                .object([.init(name: "id", value: .text(clusterID)), .init(name: "name", value: .string(name))])
            } ?? .null
        return JSONValue.object([
            .init(name: "captured_at", value: .string(capturedAt)),
            .init(name: "cluster", value: cluster),
            .init(name: "data", value: data ?? .null),
            .init(name: "error", value: error.map { ErrorDocument.object($0, requestID: requestID) } ?? .null),
            .init(name: "format_version", value: .string(OperationEnvelope.formatVersion)),
            .init(name: "kind", value: .string(kind)),
            .init(name: "node", value: .text(node)),
            .init(name: "ok", value: .bool(error == nil)),
            .init(name: "request_id", value: .string(requestID)),
            .init(name: "stale_seconds", value: .decimal(staleSeconds)),
            .init(name: "warnings", value: .array(warnings.map { .string($0) })),
        ]).bytes + [0x0A]
    }

    /// Reads an envelope somebody else wrote; unknown fields are ignored, an unknown major version is refused.
    package init(parsing bytes: [UInt8]) throws(BastionError) {
        let document: JSONValue
        do {
            document = try JSONParser.parse(bytes)
        } catch {
            throw BastionError(.unavailable, "the daemon's answer is not JSON", detail: error.message)
        }
        guard let version = document["format_version"]?.string, let kind = document["kind"]?.string else {
            throw BastionError(.unavailable, "the daemon's answer is not an operation's envelope")
        }
        guard version.split(separator: ".").first == "1" else {
            throw BastionError(
                .unavailable, "the daemon's answer has format version \"\(version)\", this client reads 1.x",
                hint: "use the pgbastion of the daemon's version")
        }
        self.kind = kind
        clusterID = document["cluster"]?["id"]?.string
        clusterName = document["cluster"]?["name"]?.string
        node = document["node"]?.string
        capturedAt = document["captured_at"]?.string ?? ""
        if case .number(let text) = document["stale_seconds"] {
            staleSeconds = Double(text) ?? 0
        } else {
            staleSeconds = 0
        }
        requestID = document["request_id"]?.string ?? ""
        data = document["data"] == .null ? nil : document["data"]
        warnings = document["warnings"]?.elements?.compactMap(\.string) ?? []
        error = document["error"].flatMap(ErrorDocument.error)
    }
}

/// `BastionError` as JSON: `error` of the envelope, and the fields of an HTTP error body (H06).
package enum ErrorDocument {
    package static func members(_ error: BastionError, requestID: String) -> [JSONValue.Member] {
        [
            .init(name: "checks", value: .array(error.checks.map(check))),
            .init(name: "code", value: .string(error.code.rawValue)),
            .init(name: "detail", value: .text(error.detail)),
            .init(name: "exit", value: .number("\(error.code.exitStatus)")),
            .init(name: "hint", value: .text(error.hint)),
            .init(name: "operation_id", value: .text(error.operationID)),
            .init(name: "request_id", value: .string(requestID)),
        ]
    }

    static func object(_ error: BastionError, requestID: String) -> JSONValue {
        let more: [JSONValue.Member] = [
            .init(name: "message", value: .string(error.message)),
            .init(name: "retryable", value: .bool(error.code.isRetryable)),
            .init(name: "docs", value: .string("pgbastion-errors(7)#\(error.code.rawValue)")),
        ]
        return .object((members(error, requestID: requestID) + more).sorted { $0.name < $1.name })
    }

    /// nil for `null` and for what is no error object. An unknown code is read as `failed`.
    package static func error(_ value: JSONValue) -> BastionError? {
        guard value.members != nil else { return nil }
        let code = value["code"]?.string.flatMap(ErrorCode.init(rawValue:)) ?? .failed
        // The envelope says `message`, an HTTP error body says `error`.
        let message = value["message"]?.string ?? value["error"]?.string ?? "the daemon reported an error"
        return BastionError(
            code, message, detail: value["detail"]?.string, hint: value["hint"]?.string,
            checks: value["checks"]?.elements?.map(failedCheck) ?? [], operationID: value["operation_id"]?.string)
    }

    private static func check(_ check: FailedCheck) -> JSONValue {
        .object([
            .init(name: "actual", value: .text(check.actual)),
            .init(name: "expected", value: .text(check.expected)),
            .init(name: "id", value: .string(check.id)),
            .init(name: "overridable", value: .bool(check.overridable)),
            .init(name: "path", value: .text(check.path)),
            .init(name: "status", value: .string(check.status)),
        ])
    }

    private static func failedCheck(_ value: JSONValue) -> FailedCheck {
        FailedCheck(
            id: value["id"]?.string ?? "unknown", status: value["status"]?.string ?? "fail",
            path: value["path"]?.string, actual: value["actual"]?.string, expected: value["expected"]?.string,
            overridable: value["overridable"] == .bool(true))
    }
}

extension JSONValue {
    static func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

    /// A whole number without a fraction, any other with one; what is not finite is null.
    static func decimal(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        return .number(value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }
}
