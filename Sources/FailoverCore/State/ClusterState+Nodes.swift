import ClusterModel

/// What operators order of single nodes: drain, fence, unfence (section 3.2).
extension ClusterState {
    mutating func setDrained(_ node: NodeName, _ drained: Bool, _ milliseconds: Int64?) throws(Rejection) {
        guard nodes[node] != nil else { throw Rejection("CS4", "node \"\(node)\" is not registered") }
        if drained {
            guard primary?.node != node || primary?.phase == .ended else {
                throw Rejection("node.not_primary", "node \"\(node)\" is the primary")
            }
            guard operation?.to != node || operation?.phase == .settle else {
                throw Rejection("no_operation_in_progress", "operation \(operation?.id ?? "") makes it the primary")
            }
        }
        nodes[node]?.drained = drained
        nodes[node]?.drainMilliseconds = drained ? milliseconds : nil
    }

    /// D15: until `unfenceNode` the node gets no token. If it has the current one, that ends here; a hold stays, since its
    /// guard counts it (LE8).
    mutating func fenceNode(_ node: NodeName, _ memberID: MemberID, _ reason: String) throws(Rejection) {
        guard let record = nodes[node], record.memberID == memberID, record.kind == .data else {
            throw Rejection("CS4", "node \"\(node)\" is not a registered data node with this member id")
        }
        guard record.standing != .fenced else { throw Rejection("CS4", "node \"\(node)\" is fenced") }
        let isNamed = operation?.from == node || operation?.to == node
        let mayEnd = operation?.phase == .settle || (operation?.phase == .pledge && operation?.kind == .failover)
        guard !isNamed || mayEnd else {
            throw Rejection("no_operation_in_progress", "operation \(operation?.id ?? "") is in progress")
        }
        nodes[node]?.standing = .fenced
        nodes[node]?.standingReason = reason
        nodes[node]?.fence = FenceRecord()
        if primary?.memberID == memberID { primary?.phase = .ended }
    }

    /// `node restart` of the primary's server that is under way.
    package func openRestart(of primary: PrimaryRecord) -> DirectiveRecord? {
        directives.first {
            $0.isOpen && $0.type == .restart && $0.targetNode == primary.node && $0.token == primary.token
        }
    }

    mutating func proveFence(_ node: NodeName, _ method: FenceRecord.Method) throws(Rejection) {
        guard nodes[node]?.standing == .fenced, nodes[node]?.fence?.method == nil else {
            throw Rejection("CS4", "node \"\(node)\" has no fence that waits for its proof")
        }
        nodes[node]?.fence = FenceRecord(method: method)
    }

    mutating func unfenceNode(_ node: NodeName, _ memberID: MemberID, _ dataID: DataID?) throws(Rejection) {
        guard let record = nodes[node], record.memberID == memberID, record.standing == .fenced else {
            throw Rejection("CS4", "node \"\(node)\" is not fenced")
        }
        nodes[node]?.standing = .ready
        nodes[node]?.standingReason = "unfenced"
        nodes[node]?.dataID = dataID
        nodes[node]?.fence = nil
    }
}
