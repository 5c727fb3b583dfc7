/// What a bearer token may do; each role includes those before it.
package enum TokenRole: String, Sendable, Codable, Hashable, CaseIterable, Comparable {
    /// Reads, when `api.protect_reads` closes them.
    case read
    /// Every reversible and disruptive operation.
    case operate
    /// Everything; `api.auth_token` is one of these.
    case admin

    package static func < (a: TokenRole, b: TokenRole) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .operate: 1
        case .admin: 2
        }
    }
}

/// A named token as people see it: never its value, nor the digest of it.
package struct TokenView: Sendable, Codable, Hashable {
    package var name: String
    package var role: TokenRole
    package var createdAt: String
    package var createdBy: String
    package var rotatedAt: String?
    /// The first digits of the value's digest: tells two values of one name apart.
    package var fingerprint: String
    package init(
        name: String, role: TokenRole, createdAt: String, createdBy: String, rotatedAt: String?, fingerprint: String
    ) {
        self.name = name
        self.role = role
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.rotatedAt = rotatedAt
        self.fingerprint = fingerprint
    }
}

/// A new token value and its digest; the value leaves the node that made it once, to whoever asked.
package struct MintedToken: Sendable, Codable, Hashable {
    package var value: String
    package var digest: String
    package init(value: String, digest: String) {
        self.value = value
        self.digest = digest
    }
}
