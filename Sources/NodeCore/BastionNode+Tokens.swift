import ClusterModel
import FailoverCore

/// Named tokens of the API, on the leader. What is refused is refused before anything is proposed.
extension BastionNode {
    mutating func changeToken(_ request: ClusterRequest, _ id: UInt64, _ m: RequestMetadata) {
        let command: ClusterCommand
        let summary: String
        switch request {
        case .createToken(let name, let role, let digest):
            guard isRepeated(m) || state.token(named: name) == nil else {
                return refuse(id, precondition("token.unused", "token \"\(name)\" exists", "rotate it, or choose another name"))
            }
            guard state.sortedTokens.count < ClusterState.Caps.tokens else {
                return refuse(id, precondition("token.unused", "the cluster has \(ClusterState.Caps.tokens) tokens already", nil))
            }
            command = .createToken(
                TokenRecord(name: name, role: role, digest: digest, createdAt: wallTime, createdBy: m.actor))
            summary = "token \"\(name)\" created"
        case .rotateToken(let name, let digest):
            guard isRepeated(m) || state.token(named: name) != nil else { return refuse(id, unknownToken(name)) }
            command = .rotateToken(name: name, digest: digest)
            summary = "token \"\(name)\" has a new value"
        case .revokeToken(let name):
            guard isRepeated(m) || state.token(named: name) != nil else { return refuse(id, unknownToken(name)) }
            command = .revokeToken(name: name)
            summary = "token \"\(name)\" revoked"
        default: return
        }
        propose(
            command, actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: summary), rejectionMeansAlreadySo: false))
    }

    /// Q10: answered from the first outcome by `apply`.
    private func isRepeated(_ m: RequestMetadata) -> Bool {
        m.idempotencyKey.map { key in state.idempotency.contains { $0.requestID == key } } ?? false
    }

    private func unknownToken(_ name: String) -> BastionError {
        BastionError(.notFound, "there is no token \"\(name)\"", hint: "see `pgbastion token list`")
    }

    var tokenViews: [TokenView] {
        state.sortedTokens.map {
            TokenView(
                name: $0.name, role: $0.role, createdAt: WallTime.text(milliseconds: $0.createdAt), createdBy: $0.createdBy,
                rotatedAt: $0.rotatedAt.map(WallTime.text), fingerprint: String($0.digest.prefix(8)))
        }
    }
}
