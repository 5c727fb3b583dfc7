import ClusterModel

/// Which token may run an operation.
extension OperationDefinition {
    /// - Parameters:
    ///   - given: Names of the fields that a request carries; some raise the risk.
    ///   - overrides: A check that is passed over makes the operation destructive (`cli.md`, section 2).
    package func requiredRole(given: [String] = [], overrides: [String] = []) -> TokenRole {
        if name.hasPrefix("token.") { return .admin }
        return risk(given: given, overrides: overrides).requiredRole
    }

    /// The risk with these fields given.
    package func risk(given: [String], overrides: [String] = []) -> Risk {
        let raised = parameters.filter { given.contains($0.name) }.compactMap(\.raisesRiskTo)
        return ([risk] + raised + (overrides.isEmpty ? [] : [.destructive])).max { $0.rank < $1.rank } ?? risk
    }
}

extension OperationDefinition.Risk {
    var rank: Int {
        switch self {
        case .reads: 0
        case .reversible: 1
        case .disruptive: 2
        case .destructive: 3
        }
    }

    package var requiredRole: TokenRole {
        switch self {
        case .reads: .read
        case .reversible, .disruptive: .operate
        case .destructive: .admin
        }
    }
}
