import ClusterModel
import Operations

/// A state document that the simulator changes: pure, with its own time.
package struct SimulatedState: Sendable, Hashable {
    package var document: JSONValue

    package init(_ document: JSONValue) { self.document = document }

    /// The value at a path of plain member names (`primary.name`); null when there is none.
    package subscript(path: String) -> JSONValue {
        get { document.value(at: SimulatedState.keys(path)) ?? .null }
        set { document.set(newValue, at: SimulatedState.keys(path)) }
    }

    private static func keys(_ path: String) -> [String] { path.split(separator: ".").map(String.init) }

    // MARK: Nodes

    package var nodes: [JSONValue] {
        get { document["nodes"]?.elements ?? [] }
        set { document.setMember("nodes", .array(newValue)) }
    }

    package var nodeNames: [String] { nodes.compactMap { $0["name"]?.string } }

    package func node(_ name: String) -> JSONValue? { nodes.first { $0["name"]?.string == name } }

    /// The field of one node; null when the node or the field is missing.
    package func field(_ path: String, of name: String) -> JSONValue {
        node(name)?.value(at: SimulatedState.keys(path)) ?? .null
    }

    /// Sets fields of one node; nothing when there is no such node.
    package mutating func setNode(_ name: String, _ fields: [(String, JSONValue)]) {
        var all = nodes
        guard let place = all.firstIndex(where: { $0["name"]?.string == name }) else { return }
        for (path, value) in fields { all[place].set(value, at: SimulatedState.keys(path)) }
        nodes = all
    }

    package mutating func removeNode(_ name: String) { nodes.removeAll { $0["name"]?.string == name } }

    package var primary: String? { self["primary.name"].string }

    // MARK: Time

    package var capturedAt: String { document["captured_at"]?.string ?? "" }

    /// Moves the document's time; what has an age grows older, a measured lag stays measured.
    package mutating func advance(by seconds: Double) {
        guard seconds > 0, let later = Timestamp.adding(seconds, to: capturedAt) else { return }
        document.setMember("captured_at", .string(later))
        for path in ["backup.age_seconds", "backup.drill_age_seconds", "lock.heartbeat_age_seconds"] {
            if let age = self[path].decimal { self[path] = .seconds(age + seconds) }
        }
        if let until = self["paused.until"].string, self["paused.active"].bool == true, until <= later { clearPause() }
        if let until = self["restart_hold.until"].string, until <= later { clearHold() }
    }

    package func time(after seconds: Double) -> JSONValue { .optional(Timestamp.adding(seconds, to: capturedAt)) }

    package mutating func clearPause() {
        self["paused.active"] = .bool(false)
        for name in ["since", "until", "reason", "by", "by_run"] { self["paused.\(name)"] = .null }
    }

    package mutating func clearHold() {
        self["restart_hold.active"] = .bool(false)
        self["restart_hold.node"] = .null
        self["restart_hold.until"] = .null
    }

    // MARK: What follows from the rest

    /// Counts of the members, after one came, went or changed.
    package mutating func refreshMembership() {
        let voters = nodes.filter { $0["raft"]?["suffrage"]?.string == "voter" }
        let reachable = voters.filter { $0["raft"]?["reachable"]?.bool == true }.count
        self["raft.voters"] = .integer(voters.count)
        self["raft.voters_reachable"] = .integer(reachable)
        self["raft.learners"] = .integer(nodes.filter { $0["raft"]?["suffrage"]?.string == "learner" }.count)
        let majority = voters.count / 2 + 1
        self["raft.has_quorum"] = .bool(!voters.isEmpty && reachable >= majority)
        self["raft.failures_tolerated"] = .integer(max(0, reachable - majority))
        refreshHealth()
    }

    /// `cluster.healthy` after roles or members changed.
    package mutating func refreshHealth() {
        let areHealthy = nodes.filter { $0["role"]?.string != "witness" }.allSatisfy { $0["healthy"]?.bool == true }
        self["cluster.healthy"] = .bool(
            areHealthy && self["raft.has_quorum"].bool == true && self["primary.verified"].bool == true
                && self["split_brain"].bool == false)
    }

    package mutating func refreshVersions() {
        let known = nodes.compactMap { $0["version"]?.string }
        let sorted = known.compactMap { SemanticVersion($0) }.sorted()
        self["versions.min"] = .optional(sorted.first.map { "\($0)" })
        self["versions.max"] = .optional(sorted.last.map { "\($0)" })
        self["versions.skew"] = .bool(Set(known).count > 1)
    }
}
