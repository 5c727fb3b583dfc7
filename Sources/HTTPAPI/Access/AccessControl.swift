import ClusterModel
import Crypto

/// Who may do what: the token, and how often somebody may try.
package struct AccessControl: Sendable {
    package enum Need: Sendable { case probe, read, change }

    private let token: @Sendable () -> [UInt8]?
    private let protectReads: @Sendable () -> Bool
    private let changes: RateLimiter
    private let failures: RateLimiter

    /// - Parameter token: `api.auth_token` at this moment; nil or empty: changes are open.
    package init(
        token: @escaping @Sendable () -> [UInt8]?, protectReads: @escaping @Sendable () -> Bool = { false },
        changes: RateLimiter = RateLimiter(), failures: RateLimiter = RateLimiter()
    ) {
        self.token = token
        self.protectReads = protectReads
        self.changes = changes
        self.failures = failures
    }

    /// Who asks, for the audit log.
    ///
    /// - Throws: `rate_limited` before the token is looked at (H03), `unauthenticated` or `forbidden` (H02).
    func admit(_ request: APIRequest, as need: Need) throws(BastionError) -> String {
        guard case .address(let address) = request.peer else { return "unix socket" }
        let given = request.header("authorization")
        if need == .change, !changes.take(address) { throw tooMany("changes") }
        guard let expected = token(), !expected.isEmpty else { return "\(address) without token" }
        guard let given else {
            guard need == .change || (need == .read && protectReads()) else { return address }
            return try refuse(address, .unauthenticated, "authorization required")
        }
        if !failures.has(address) { throw tooMany("failed authentications") }
        guard let presented = AccessControl.bearerToken(given) else {
            return try refuse(address, .unauthenticated, "invalid authorization format, expected Bearer token")
        }
        guard AccessControl.equal(presented, expected) else { return try refuse(address, .forbidden, "invalid token") }
        return "token from \(address)"
    }

    private func refuse(_ address: String, _ code: ErrorCode, _ message: String) throws(BastionError) -> String {
        guard failures.take(address) else { throw tooMany("failed authentications") }
        throw BastionError(code, message)
    }

    private func tooMany(_ what: String) -> BastionError {
        BastionError(
            .rateLimited, "too many \(what) from this address",
            detail: "Allowed are \(RateLimiter.burst) at once and \(RateLimiter.perSecond) per second.")
    }

    /// Q04: the scheme word in any case; nil for another scheme.
    static func bearerToken(_ header: String) -> [UInt8]? {
        let bytes = Array(header.utf8)
        let scheme = Array("bearer".utf8)
        guard bytes.count >= scheme.count, zip(bytes, scheme).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        let rest = bytes.dropFirst(scheme.count)
        guard rest.isEmpty || rest.first == 0x20 else { return nil }
        return Array(rest.drop { $0 == 0x20 })
    }

    /// H04: hashes are compared, all 32 bytes of them, so that time tells nothing of the token.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        SHA256.hash(data: a) == SHA256.hash(data: b)
    }
}
