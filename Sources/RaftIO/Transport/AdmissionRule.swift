import ClusterModel

/// Whom a node lets in, as far as it depends on the cluster it belongs to (RA19, RA20). What two hellos alone can tell is in
/// `PeerHello.refusal`.
package struct AdmissionRule: Sendable, Hashable {
    /// nil: this node belongs to no cluster yet and lets everybody in.
    package var clusterID: ClusterID?
    /// Removed for good, and in no present membership.
    package var removed: Set<MemberID>
    /// What every member must be able to read.
    package var featureLevel: UInt32

    package init(clusterID: ClusterID? = nil, removed: Set<MemberID> = [], featureLevel: UInt32 = 1) {
        self.clusterID = clusterID
        self.removed = removed
        self.featureLevel = featureLevel
    }

    package func admission(of hello: PeerHello, for purpose: PeerPurpose) -> PeerAdmission {
        guard let clusterID else { return .accept }
        guard hello.clusterID == nil || hello.clusterID == clusterID else {
            return .reject(code: .foreignState, message: "this node belongs to cluster \(clusterID.short)")
        }
        // A probe only asks who is there.
        guard purpose != .probe else { return .accept }
        if removed.contains(hello.memberID) {
            return .reject(
                code: .removed,
                message: "node \"\(hello.nodeName)\" was removed from the cluster; run `pgbastion node reset` there")
        }
        if let reason = hello.incompatibility(requiring: featureLevel) {
            return .reject(code: .preconditionFailed, message: reason)
        }
        return .accept
    }
}

extension PeerHello {
    /// The versions of the wire this program speaks.
    package static let supportedWire: ClosedRange<UInt32> = 1...1

    /// Why a node with this hello cannot be a member beside this program; nil when it can (P28).
    package func incompatibility(requiring level: UInt32) -> String? {
        let own = PeerHello.supportedWire
        guard max(wireMin, own.lowerBound) <= min(wireMax, own.upperBound) else {
            return "node \"\(nodeName)\" (version \(version)) speaks wire versions \(wireMin) to \(wireMax), this node "
                + "\(own.lowerBound) to \(own.upperBound)"
        }
        guard featureLevel >= level else {
            return "node \"\(nodeName)\" (version \(version)) has feature level \(featureLevel), the cluster uses \(level)"
        }
        return nil
    }
}
