import ClusterModel

/// A named token of the API, the same on every node. Only a digest of its value is kept.
package struct TokenRecord: Sendable, Codable, Hashable {
    package var name: String
    package var role: TokenRole
    /// SHA-256 of the value, in hexadecimal.
    package var digest: String
    package var createdAt: Int64
    package var createdBy: String
    package var rotatedAt: Int64?
    package init(
        name: String, role: TokenRole, digest: String, createdAt: Int64, createdBy: String, rotatedAt: Int64? = nil
    ) {
        self.name = name
        self.role = role
        self.digest = digest
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.rotatedAt = rotatedAt
    }
}

extension ClusterState {
    /// In order of their names.
    package var sortedTokens: [TokenRecord] { (tokens ?? []).sorted { $0.name < $1.name } }
    package func token(named name: String) -> TokenRecord? { tokens?.first { $0.name == name } }

    mutating func createToken(_ record: TokenRecord) throws(Rejection) {
        guard token(named: record.name) == nil else { throw Rejection("token.unused", "token \"\(record.name)\" exists") }
        guard sortedTokens.count < Caps.tokens else { throw Rejection("CS4", "at most \(Caps.tokens) tokens") }
        tokens = (tokens ?? []) + [record]
    }

    mutating func rotateToken(_ name: String, _ digest: String, at time: Int64) throws(Rejection) {
        guard let index = tokens?.firstIndex(where: { $0.name == name }) else {
            throw Rejection("token.known", "there is no token \"\(name)\"")
        }
        tokens?[index].digest = digest
        tokens?[index].rotatedAt = time
    }

    mutating func revokeToken(_ name: String) throws(Rejection) {
        guard token(named: name) != nil else { throw Rejection("token.known", "there is no token \"\(name)\"") }
        tokens?.removeAll { $0.name == name }
    }
}
