import ClusterModel

package enum SynchronousMode: String, Sendable, Codable, Hashable { case off, quorum, strict }

/// SE1: every commit acknowledged under this rule is flushed on `primary` and on at least `required` of `members`.
package struct AckRule: Sendable, Codable, Hashable {
    package struct Member: Sendable, Codable, Hashable {
        package var node: NodeName
        package var dataID: DataID?
        package init(node: NodeName, dataID: DataID?) {
            self.node = node
            self.dataID = dataID
        }
    }
    package var token: FencingToken
    package var primary: Member
    package var members: [Member]
    /// k; 0: flushed on the primary only.
    package var required: Int

    package init(token: FencingToken, primary: Member, members: [Member], required: Int) {
        self.token = token
        self.primary = primary
        self.members = members.sorted { $0.node < $1.node }
        self.required = required
    }
}

/// The synchronous policy and the joint rule (SE2): every acknowledged commit obeys at least one of `rules`.
package struct SynchronousRecord: Sendable, Codable, Hashable {
    /// What the operator wants; nil: `quorum` as soon as two replicas are ready, else `off`.
    package var configured: SynchronousMode?
    package var mode = SynchronousMode.off
    package var wanted = 1
    /// The last one is in force; the others are not yet settled.
    package var rules: [AckRule] = []
    package var generation: UInt64 = 0
    /// `off` while waiting was turned on and no set that a commit waits for is settled yet: what `mode` promises does not hold
    /// yet (D17). nil: `mode` is in force.
    package var modeUntilSettled: SynchronousMode?
    package init() {}

    /// The mode whose promise holds now. A failover obeys this one (SE6, D19).
    package var promisedMode: SynchronousMode { modeUntilSettled ?? mode }

    package var current: AckRule? { rules.last }
    package var isSettled: Bool { rules.count <= 1 }
    package var degraded: Bool { mode != .off && (rules.isEmpty || rules.contains { $0.required == 0 }) }

    /// A change of the rule in force begins; one that turns waiting on counts only when it is settled (D17).
    ///
    /// With nobody to wait for, a mode that was ordered is degraded from the start, and only a proof promotes (D19).
    mutating func turn(_ new: SynchronousMode, waitingFor required: Int) {
        if new == .off { modeUntilSettled = nil } else if mode == .off, required > 0 { modeUntilSettled = .off }
        mode = new
    }

    /// A new primary's rule (SE8).
    ///
    /// - Parameter dropsOlderRules: What was acknowledged under them may be lost. While waiting is being turned on, a node may
    ///   be promoted that did not carry the placeholder yet: that its commits wait is proven by settling only (SE9).
    mutating func appoint(_ rule: AckRule, dropsOlderRules: Bool) {
        guard dropsOlderRules else { return rules.append(rule) }
        let isProven = modeUntilSettled == nil || rule.required == 0
        let unproven = AckRule(token: rule.token, primary: rule.primary, members: [], required: 0)
        rules = isProven ? [rule] : [unproven, rule]
    }

    /// The last rule is settled, or the only one that any commit was acknowledged under: from now on it alone counts.
    mutating func settle() {
        guard let current else { return }
        rules = [current]
        if current.required > 0 { modeUntilSettled = nil }
    }
}

extension AckRule {
    /// A name that no standby has (D20, SE8).
    package static let placeholder = "pgb_nobody"

    /// The value of `synchronous_standby_names` under this rule.
    package func standbyNames(cluster: ClusterID, mode: SynchronousMode) -> String {
        switch mode {
        case .off: return ""
        case .quorum, .strict:
            guard required > 0 else { return mode == .strict ? AckRule.placeholder : "" }
            let names = members.map { "\"\(applicationName(cluster: cluster, node: $0.node))\"" }
            return "ANY \(required) (\(names.joined(separator: ", ")))"
        }
    }
}

/// AG22: unique in the cluster and never that of a foreign receiver (D25).
package func applicationName(cluster: ClusterID, node: NodeName) -> String {
    var hash: UInt32 = 2_166_136_261  // FNV-1a
    for byte in "\(cluster)/\(node)".utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    let digits = String(hash, radix: 16)
    let prefix = "pgb_" + String(repeating: "0", count: 8 - digits.count) + digits + "_"
    // Limit: PostgreSQL cuts application_name at 63 bytes.
    return prefix + node.rawValue.suffix(63 - prefix.count)
}
