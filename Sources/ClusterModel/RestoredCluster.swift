/// What a cluster still waits for after `restore --bootstrap` or `raft recover` (failover.md, 4.12).
package struct BarrierView: Sendable, Codable, Hashable {
    package enum Mark: String, Sendable, Codable, Hashable { case unknown, confirmed, attested }
    package struct Entry: Sendable, Codable, Hashable {
        package var node: NodeName
        package var mark: Mark
        package init(node: NodeName, mark: Mark) {
            self.node = node
            self.mark = mark
        }
    }
    /// Former data nodes not yet known to be harmless, sorted by name.
    package var nodes: [Entry]
    /// No assignment before this much time has passed since the daemon's start.
    package var waitSeconds: Double
    /// What the restored state says the primary was: a claim until its agent observes it.
    package var claimedPrimary: NodeName?
    /// Verified: a running server with the cluster's system identifier, not in recovery.
    package var verified: [NodeName]
    package init(nodes: [Entry], waitSeconds: Double, claimedPrimary: NodeName?, verified: [NodeName]) {
        self.nodes = nodes
        self.waitSeconds = waitSeconds
        self.claimedPrimary = claimedPrimary
        self.verified = verified
    }
}

/// What is known of a request by its idempotency key (Q10).
package struct RequestOutcome: Sendable, Codable, Hashable {
    /// Applied, or rejected with this text.
    package var isApplied: Bool
    package var message: String
    /// The operation that the request began.
    package var operation: OperationView?
    package init(isApplied: Bool, message: String, operation: OperationView?) {
        self.isApplied = isApplied
        self.message = message
        self.operation = operation
    }
}
