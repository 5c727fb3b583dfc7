import ClusterModel

/// Checks that operations refuse with and `doctor` reports, beside those of `OperationPlan`: one definition for both.
extension ClusterView {
    var replicas: [NodeView] { nodes.filter { $0.kind == .data && $0.name != primary?.name } }

    func checkOnePrimary() -> PlanCheck {
        let writable = nodes.filter { $0.isInRecovery == false && $0.state == "running" }.map { "\($0.name)" }
        if splitBrain || writable.count > 1 {
            return PlanCheck(
                "one_primary", false, or: "writable servers: \(writable.isEmpty ? "two were seen" : writable.joined(separator: ", "))")
        }
        return PlanCheck("one_primary", routedPrimary != nil, or: primaryReason)
    }

    func checkNoSplitBrain() -> PlanCheck {
        PlanCheck("cluster.no_split_brain", !splitBrain, or: "two writable servers were seen")
    }

    func checkNotPaused() -> PlanCheck {
        PlanCheck("not_paused", paused == nil, or: "automatic failover is paused since \(paused?.since ?? "-"): \(paused?.reason ?? "")")
    }

    func checkNotDegraded() -> PlanCheck {
        PlanCheck(
            "synchronous.not_degraded", !synchronous.degraded,
            or: "synchronous replication (\(synchronous.mode)) is degraded: commits do not wait for a replica")
    }

    /// One minor apart at most, the same major.
    func checkVersionSkew() -> PlanCheck {
        let versions = knownVersions
        let unknown = nodes.filter { $0.version == nil }.map { "\($0.name)" }
        let minors = versions.map(\.minor)
        let isNarrow = Set(versions.map(\.major)).count <= 1 && (minors.max() ?? 0) - (minors.min() ?? 0) <= 1
        if !isNarrow { return PlanCheck("upgrade.version_skew", false, or: "the nodes have \(versionsText)") }
        return PlanCheck("upgrade.version_skew", unknown.isEmpty, or: "the version of \(unknown.joined(separator: ", ")) is not known")
    }

    var versionsText: String { nodes.map { "\($0.name) \($0.version ?? "unknown")" }.joined(separator: ", ") }
    private var knownVersions: [SemanticVersion] { nodes.compactMap { $0.version.flatMap { SemanticVersion($0) } } }
}

extension PlanCheck {
    static func replayRunning(_ node: NodeName, isPaused: Bool) -> PlanCheck {
        PlanCheck("replay_running", !isPaused, or: "replay is paused on \"\(node)\"")
    }
}

/// `MAJOR.MINOR.PATCH`; what follows a hyphen or plus is not compared.
package struct SemanticVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init?(_ text: String) {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let major = parts[0], let minor = parts[1], let patch = parts[2], min(major, minor, patch) >= 0 else {
            return nil
        }
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    package var description: String { "\(major).\(minor).\(patch)" }
    package static func < (a: SemanticVersion, b: SemanticVersion) -> Bool {
        (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
    }
}
