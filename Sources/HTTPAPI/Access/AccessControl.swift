import ClusterModel
import Crypto

/// Who may do what: the tokens, and how often somebody may try.
package struct AccessControl: Sendable {
    package enum Need: Sendable, Hashable {
        case probe, read
        /// A token of at least this role, or the unix socket.
        case role(TokenRole)
    }

    /// A named token of the cluster; its value is known by digest only.
    package struct NamedToken: Sendable, Hashable {
        package var name: String
        package var role: TokenRole
        /// SHA-256 in hexadecimal.
        package var digest: String
        package init(name: String, role: TokenRole, digest: String) {
            self.name = name
            self.role = role
            self.digest = digest
        }
    }

    /// Who was let in.
    package struct Admission: Sendable, Hashable {
        /// For the audit log.
        package var actor: String
        package var role: TokenRole
    }

    private let token: @Sendable () -> [UInt8]?
    private let named: @Sendable () async -> [NamedToken]
    private let protectReads: @Sendable () -> Bool
    private let changes: RateLimiter
    private let failures: RateLimiter

    /// - Parameters:
    ///   - token: `api.auth_token` at this moment, an admin's; nil or empty: none.
    ///   - named: The cluster's named tokens at this moment. Without any token at all changes are open (K11).
    package init(
        token: @escaping @Sendable () -> [UInt8]?, named: @escaping @Sendable () async -> [NamedToken] = { [] },
        protectReads: @escaping @Sendable () -> Bool = { false },
        changes: RateLimiter = RateLimiter(), failures: RateLimiter = RateLimiter()
    ) {
        self.token = token
        self.named = named
        self.protectReads = protectReads
        self.changes = changes
        self.failures = failures
    }

    /// - Parameter isChange: Counts against the limit of changes.
    /// - Throws: `rate_limited` before the token is looked at (H03), `unauthenticated` or `forbidden` (H02).
    func admit(_ request: APIRequest, as need: Need, isChange: Bool = false) async throws(BastionError) -> Admission {
        guard case .address(let address) = request.peer else {
            return Admission(actor: request.peer.actor(request.header("x-pgbastion-sudo-user")), role: .admin)
        }
        if isChange, !changes.take(address) { throw tooMany("changes") }
        let own = token() ?? []
        let others = await named()
        guard !own.isEmpty || !others.isEmpty else { return Admission(actor: "\(address) without token", role: .admin) }
        guard let given = request.header("authorization") else {
            switch need {
            case .probe: return Admission(actor: address, role: .read)
            case .read where !protectReads(): return Admission(actor: address, role: .read)
            default: return try refuse(address, .unauthenticated, "authorization required")
            }
        }
        if !failures.has(address) { throw tooMany("failed authentications") }
        guard let presented = AccessControl.bearerToken(given) else {
            return try refuse(address, .unauthenticated, "invalid authorization format, expected Bearer token")
        }
        guard let found = AccessControl.owner(of: presented, own: own, others: others) else {
            return try refuse(address, .forbidden, "invalid token")
        }
        let admission = Admission(actor: found.name.map { "token \($0) from \(address)" } ?? "token from \(address)", role: found.role)
        if case .role(let least) = need { try admission.require(least) }
        return admission
    }

    private func refuse(_ address: String, _ code: ErrorCode, _ message: String) throws(BastionError) -> Admission {
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

    /// H04: digests are compared, all bytes of all of them, so that time tells nothing of any token.
    private static func owner(
        of presented: [UInt8], own: [UInt8], others: [NamedToken]
    ) -> (name: String?, role: TokenRole)? {
        let digest = TokenMint.digestBytes(presented)
        var found: (name: String?, role: TokenRole)?
        for other in others where TokenMint.equal(digest, Array(other.digest.utf8)) { found = (other.name, other.role) }
        if !own.isEmpty, TokenMint.equal(digest, TokenMint.digestBytes(own)) { found = (nil, .admin) }
        return found
    }
}

extension AccessControl.Admission {
    /// - Throws: `forbidden`: the token is good, but not for this.
    func require(_ least: TokenRole) throws(BastionError) {
        guard role < least else { return }
        throw BastionError(
            .forbidden, "a token with role \"\(role.rawValue)\" may not do this",
            detail: "It needs role \"\(least.rawValue)\".", hint: "use a token with that role, or the unix socket")
    }
}
