/// How a condition ended, and why.
package struct ConditionResult: Sendable, Hashable {
    /// Unknown never passes.
    package enum Status: String, Sendable, Hashable { case pass, fail, unknown }
    package var status: Status
    /// The path that decided; nil for what has none.
    package var path: String?
    package var actual: String?
    /// `<= 10 MiB`
    package var expected: String?
    package var message: String

    package init(_ status: Status, path: String? = nil, actual: String? = nil, expected: String? = nil, _ message: String) {
        self.status = status
        self.path = path
        self.actual = actual
        self.expected = expected
        self.message = message
    }
}

extension ConditionResult.Status {
    /// True only when all are; one that is false decides.
    static func all(_ statuses: [Self]) -> Self { statuses.contains(.fail) ? .fail : statuses.contains(.unknown) ? .unknown : .pass }
    /// True when one is.
    static func any(_ statuses: [Self]) -> Self { statuses.contains(.pass) ? .pass : statuses.contains(.unknown) ? .unknown : .fail }
    var inverted: Self { self == .pass ? .fail : self == .fail ? .pass : .unknown }
    init(_ isTrue: Bool) { self = isTrue ? .pass : .fail }
}
