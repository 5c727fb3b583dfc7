import ClusterModel
import Operations

/// Checks of one node.
extension NamedCheck {
    private static let node = Parameter("node", .nodeName, required: true)
    private static let address = Parameter("address", .address, required: true)

    static let nodeChecks = [
        NamedCheck("node.exists", "the node is a member", [node]) { subject in
            subject.withNode { _, name in subject.pass("\(name) is a member", path: "nodes[name=\(name)]") }
        },
        NamedCheck("node.healthy", "the node is healthy", [node]) { subject in
            subject.withNode { node, name in
                let path = "nodes[name=\(name)].healthy"
                guard let healthy = subject.at("healthy", of: node)?.bool else { return subject.unknown(path) }
                return healthy
                    ? subject.pass("\(name) is healthy", path: path, actual: "true")
                    : subject.fail(
                        "node \(name) is not healthy: \(node["state"]?.string ?? "unknown")", path: path, actual: "false",
                        expected: "be true")
            }
        },
        NamedCheck("node.is_replica", "the node is a replica", [node]) { subject in
            subject.withNode { node, name in
                let role = node["role"]?.string ?? "unknown"
                let path = "nodes[name=\(name)].role"
                return role == "replica"
                    ? subject.pass("\(name) is a replica", path: path, actual: role)
                    : subject.fail("\(name) is \(role), not a replica", path: path, actual: role, expected: "be replica")
            }
        },
        NamedCheck("node.not_primary", "the node is not the primary", [node]) { subject in
            let name = subject.text("node")
            let primary = subject.at("primary.name")?.string
            if primary == name || subject.node(name)?["role"]?.string == "primary" {
                return subject.fail("node \(name) is the primary", path: "primary.name", actual: primary, expected: "not be \(name)")
            }
            return subject.withNode { _, name in subject.pass("\(name) is not the primary", path: "primary.name", actual: primary) }
        },
        NamedCheck("node.unused", "no member has the name or the address", [.init("name", .nodeName, required: true), address]) {
            isUnused($0)
        },
        NamedCheck("peer.reachable", "the daemon at the address answers and has no other cluster", [address]) { isReachable($0) },
        NamedCheck("peer.version", "the daemon at the address has a version that fits", [address]) { hasFittingVersion($0) },
        NamedCheck("membership.removal_safe", "without the node the other voters still are a majority", [node]) { isRemovalSafe($0) },
        NamedCheck("disk.room_for_clone", "the node's disk holds the primary's data once more", [node]) { hasRoom($0) },
    ]

    /// Two addresses may name the same place: the port counts only when both have one.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        guard let x = PeerAddress(a, defaultPort: 0), let y = PeerAddress(b, defaultPort: 0) else { return a == b }
        return x.host == y.host && (x.port == y.port || x.port == 0 || y.port == 0)
    }

    private static func isUnused(_ subject: CheckSubject) -> ConditionResult {
        let (name, address) = (subject.text("name"), subject.text("address"))
        for node in subject.nodes where node["raft"]?["suffrage"]?.string != "none" {
            if subject.name(node) == name {
                return subject.fail("a member is called \(name)", path: "nodes[name=\(name)]", actual: name, expected: "not be present")
            }
            // On loopback, as in a sandbox, every node has the same host.
            guard let known = node["address"]?.string, !known.hasPrefix("127.") || address.contains(":") else { continue }
            if known == address || (isSame(known, address) && !address.hasPrefix("127.")) {
                return subject.fail(
                    "member \(subject.name(node)) has the address \(address)", path: "nodes[name=\(subject.name(node))].address",
                    actual: known, expected: "not be \(address)")
            }
        }
        return subject.pass("no member is called \(name) or has the address \(address)")
    }

    private static func member(_ subject: CheckSubject) -> JSONValue? {
        let address = subject.text("address")
        let all = subject.state["local"]?["members"]?.elements ?? []
        return all.first { member in member["address"]?.string.map { isSame($0, address) } ?? false }
    }

    /// What a probe of the address said, when one was made; else the operation that is about to speak to it finds out.
    private static func isReachable(_ subject: CheckSubject) -> ConditionResult {
        let address = subject.text("address")
        guard let member = member(subject) else { return subject.pass("nobody asked \(address) yet; the operation does") }
        guard member["reachable"]?.bool == true else {
            return subject.fail(
                "nothing answers at \(address)", path: "local.members[address=\(address)].reachable", actual: "false", expected: "be true")
        }
        let own = subject.at("cluster.id")?.string
        if let other = subject.at("cluster_id", of: member)?.string, let own, other != own {
            return subject.fail(
                "the node at \(address) belongs to cluster \(other)", path: "local.members[address=\(address)].cluster_id", actual: other,
                expected: "be \(own)")
        }
        return subject.pass("\(address) answers")
    }

    private static func hasFittingVersion(_ subject: CheckSubject) -> ConditionResult {
        let address = subject.text("address")
        guard let version = member(subject).flatMap({ subject.at("version", of: $0)?.string }) else {
            return subject.pass("nobody asked \(address) for its version yet; the operation does")
        }
        guard let theirs = SemanticVersion(version), let ours = subject.at("versions.max")?.string.flatMap({ SemanticVersion($0) }) else {
            return subject.unknown("versions.max")
        }
        return theirs.major == ours.major && abs(theirs.minor - ours.minor) <= 1
            ? subject.pass("\(address) has version \(version)", actual: version)
            : subject.fail("\(address) has version \(version), the cluster \(ours)", actual: version, expected: "be \(ours)")
    }

    private static func isRemovalSafe(_ subject: CheckSubject) -> ConditionResult {
        subject.withNode { node, name in
            guard node["raft"]?["suffrage"]?.string == "voter" else { return subject.pass("\(name) has no vote") }
            let others = subject.nodes.filter { subject.name($0) != name && $0["raft"]?["suffrage"]?.string == "voter" }
            let reachable = others.count { $0["raft"]?["reachable"]?.bool == true || $0["reachable"]?.bool == true }
            guard !others.isEmpty else {
                return subject.fail("\(name) is the only voter", path: "raft.voters", actual: "1", expected: "be >= 2")
            }
            return reachable * 2 > others.count
                ? subject.pass("\(reachable) of the \(others.count) voters left can be reached")
                : subject.fail(
                    "only \(reachable) of the \(others.count) voters left can be reached", path: "raft.voters_reachable",
                    actual: "\(reachable)", expected: "be a majority of \(others.count)")
        }
    }

    private static func hasRoom(_ subject: CheckSubject) -> ConditionResult {
        subject.withNode { node, name in
            let path = "nodes[name=\(name)].data_free_bytes"
            guard let free = subject.at("data_free_bytes", of: node)?.integer else { return subject.unknown(path) }
            let primary = subject.at("primary.name")?.string.flatMap { subject.node($0) }
            let source = primary.flatMap { subject.at("data_bytes", of: $0)?.integer } ?? subject.at("data_bytes", of: node)?.integer
            guard let source else { return subject.unknown("nodes[name=\(name)].data_bytes") }
            // The old data stays aside until the new data streams: the clone needs its whole size beside it.
            let needed = source + source / 10
            return free >= needed
                ? subject.pass("\(Quantity.text(bytes: UInt64(free))) are free on \(name)", path: path, actual: "\(free)")
                : subject.fail(
                    "\(Quantity.text(bytes: UInt64(max(0, free)))) are free on \(name), a clone needs \(Quantity.text(bytes: UInt64(needed)))",
                    path: path, actual: "\(free)", expected: "be >= \(needed)")
        }
    }
}
