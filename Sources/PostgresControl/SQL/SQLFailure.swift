import ClusterModel

/// Why a statement or a connection failed. Never carries SQL text or a secret.
struct SQLFailure: Error, Sendable {
    enum Kind: Sendable { case notConnected, timedOut, refused }
    var kind: Kind
    /// The five characters of the SQLSTATE, when the server answered.
    var state: String?
    var message: String

    func error(_ what: String) -> BastionError {
        let code: ErrorCode =
            switch kind {
            case .notConnected: .unavailable
            case .timedOut: .timeout
            case .refused: .failed
            }
        return BastionError(code, what, detail: state.map { "\(message) (SQLSTATE \($0))" } ?? message)
    }
}

/// The rows of one statement, as text; nil is NULL.
struct SQLTable: Sendable {
    var rows: [[String?]] = []
    /// The first column of the first row.
    var value: String? { rows.first?.first ?? nil }
}
