/// An error a person or a program may see: what happened, the facts, what to do.
///
/// Message: one line, lower case, no full stop, names in quotes. `could not` if it may succeed later, `cannot` if it
/// never will. Secrets and SQL text never enter any field.
package struct BastionError: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    package var code: ErrorCode
    package var message: String
    package var detail: String?
    package var hint: String?
    package var checks: [FailedCheck]
    package var operationID: String?

    package init(
        _ code: ErrorCode, _ message: String, detail: String? = nil, hint: String? = nil, checks: [FailedCheck] = [],
        operationID: String? = nil
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
        self.checks = checks
        self.operationID = operationID
    }

    package var description: String {
        [message, detail, hint.map { "hint: \($0)" }].compactMap { $0 }.joined(separator: "; ")
    }
}

/// One failed check of a refusal (`precondition_failed`).
package struct FailedCheck: Sendable, Hashable, Codable {
    package var id: String
    package var status: String
    package var path: String?
    package var actual: String?
    package var expected: String?
    package var overridable: Bool
    package init(
        id: String, status: String = "fail", path: String? = nil, actual: String? = nil, expected: String? = nil,
        overridable: Bool = false
    ) {
        self.id = id
        self.status = status
        self.path = path
        self.actual = actual
        self.expected = expected
        self.overridable = overridable
    }
}
