/// Every error code of the product. Exit status and HTTP status are exhaustive switches over it (`cli.md` section 7).
package enum ErrorCode: String, Sendable, Codable, Hashable, CaseIterable {
    case failed
    // refused
    case preconditionFailed = "precondition_failed"
    case notLeader = "not_leader"
    case nodeRunning = "node_running"
    case foreignState = "foreign_state"
    case onlyVoter = "only_voter"
    case removed
    case notConfirmed = "not_confirmed"
    // auth
    case unauthenticated
    case forbidden
    case rateLimited = "rate_limited"
    // unavailable
    case unavailable
    case noLeader = "no_leader"
    case busy
    case timeout
    case incomplete
    case locked
    case integrity
    case corrupt
    case notFound = "not_found"
    case usage
    case invalidRequest = "invalid_request"
    case methodNotAllowed = "method_not_allowed"
    case tooLarge = "too_large"
    case invalidData = "invalid_data"
    case `internal`
    case io
    case invalidConfiguration = "invalid_configuration"
    case interrupted
    case terminated

    /// The exit status of the command line (`cli.md` section 7).
    package var exitStatus: Int32 {
        switch self {
        case .failed: 1
        case .preconditionFailed, .notLeader, .nodeRunning, .foreignState, .onlyVoter, .removed, .notConfirmed: 3
        case .unauthenticated, .forbidden, .rateLimited: 4
        case .unavailable, .noLeader, .busy: 5
        case .timeout: 6
        case .incomplete: 7
        case .locked: 8
        case .integrity, .corrupt: 9
        case .notFound: 10
        case .usage, .invalidRequest, .methodNotAllowed, .tooLarge: 64
        case .invalidData: 65
        case .internal: 70
        case .io: 74
        case .invalidConfiguration: 78
        case .interrupted: 130
        case .terminated: 143
        }
    }

    /// The status of an HTTP answer that carries this code.
    package var httpStatus: Int {
        switch self {
        case .failed, .incomplete, .internal, .io, .invalidConfiguration, .interrupted, .terminated: 500
        case .preconditionFailed, .notLeader, .nodeRunning, .foreignState, .onlyVoter, .removed, .notConfirmed, .locked:
            409
        case .unauthenticated: 401
        case .forbidden: 403
        case .rateLimited: 429
        case .unavailable, .noLeader, .busy: 503
        case .timeout: 504
        case .integrity, .corrupt, .invalidData: 422
        case .notFound: 404
        case .usage, .invalidRequest: 400
        case .methodNotAllowed: 405
        case .tooLarge: 413
        }
    }

    /// Whether the same request may succeed later without a change.
    package var isRetryable: Bool {
        switch self {
        case .unavailable, .noLeader, .busy, .timeout, .rateLimited, .locked, .notLeader: true
        default: false
        }
    }
}
