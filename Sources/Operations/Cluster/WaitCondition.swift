import ClusterModel

/// One CONDITION of `wait` (`cli.md`, section 2): `healthy,node=node2`, `lag<=10MiB`.
package struct WaitCondition: Sendable, Hashable {
    enum Test: Sendable, Hashable {
        case leader, quorum, healthy, caughtUp, streaming, paused, resumed
        case primary(NodeName?)
        case role(NodeRole)
        case version(String)
        case lag(SizeValue)
        /// A value of the state document.
        case path(StatePath, String)
    }

    let text: String
    let test: Test
    let node: NodeName?

    package struct Verdict: Sendable, Hashable {
        package var met: Bool
        package var actual: String
    }

    /// Throws `invalid_request` with the conditions there are.
    package init(_ text: String) throws(BastionError) {
        var parts = text.split(separator: ",", omittingEmptySubsequences: false)
        var node: NodeName?
        if parts.count > 1, let last = parts.last, last.hasPrefix("node=") {
            guard let name = NodeName(String(last.dropFirst(5))) else {
                throw BastionError(
                    .invalidRequest, "condition \"\(text)\": \"\(last.dropFirst(5))\" is not a node name")
            }
            node = name
            parts.removeLast()
        }
        // A selector of a path may have commas of its own.
        guard let test = WaitCondition.test(parts.joined(separator: ",")) else {
            throw BastionError(
                .invalidRequest, "condition \"\(text.prefix(200))\" is not known",
                hint: "known: leader, quorum, healthy, primary, primary=NODE, caught-up, streaming, role=ROLE, "
                    + "version=V, lag<=SIZE, paused, resumed, each with ,node=NODE, and PATH=VALUE of `pgbastion state export`")
        }
        self.text = text
        self.test = test
        self.node = node
    }

    private static func test(_ text: String) -> Test? {
        switch text {
        case "leader": return .leader
        case "quorum": return .quorum
        case "healthy": return .healthy
        case "caught-up": return .caughtUp
        case "streaming": return .streaming
        case "paused": return .paused
        case "resumed": return .resumed
        case "primary": return .primary(nil)
        default: break
        }
        if text.hasPrefix("primary=") { return NodeName(String(text.dropFirst(8))).map { .primary($0) } }
        if text.hasPrefix("role=") { return NodeRole(rawValue: String(text.dropFirst(5))).map { .role($0) } }
        if text.hasPrefix("version="), text.count > 8 { return .version(String(text.dropFirst(8))) }
        if text.hasPrefix("lag<=") { return SizeValue(text.dropFirst(5)).map { .lag($0) } }
        return path(text)
    }

    /// `nodes[name=node2].state=streaming`: the last `=` outside of brackets parts path and value.
    private static func path(_ text: String) -> Test? {
        let start = text.lastIndex(of: "]") ?? text.startIndex
        guard let mark = text[start...].firstIndex(of: "="), let path = StatePath(text[..<mark]) else { return nil }
        let value = text[text.index(after: mark)...]
        return value.isEmpty ? nil : .path(path, String(value))
    }

    /// Unknown never passes.
    package func evaluate(_ view: ClusterView) -> Verdict {
        switch test {
        case .leader:
            let isRight = node.map { view.raft.leader == $0 } ?? (view.raft.leader != nil)
            return Verdict(met: isRight, actual: view.raft.leader.map { "leader \($0)" } ?? "no leader")
        case .quorum:
            return Verdict(
                met: view.raft.hasQuorum, actual: "\(view.raft.votersReachable) of \(view.raft.voters) voters")
        case .primary(let name):
            let wanted = name ?? node
            let met = view.primary.map { $0.phase == "serving" && (wanted == nil || wanted == $0.name) } ?? false
            return Verdict(met: met, actual: view.primary.map { "primary \($0.name) (\($0.phase))" } ?? "no primary")
        case .paused: return Verdict(met: view.paused != nil, actual: view.paused == nil ? "not paused" : "paused")
        case .resumed: return Verdict(met: view.paused == nil, actual: view.paused == nil ? "not paused" : "paused")
        case .healthy: return healthy(view)
        case .role(let role): return every(view.nodes, view) { ($0.role == role, $0.role.rawValue) }
        case .version(let version): return every(view.nodes, view) { ($0.version == version, $0.version.orDash) }
        case .streaming: return every(replicas(view), view) { ($0.streaming == true, $0.state) }
        case .caughtUp: return every(replicas(view), view) { lag($0, view, limit: SizeValue(bytes: 10 << 20)) }
        case .lag(let limit): return every(replicas(view), view) { lag($0, view, limit: limit) }
        case .path(let path, let value): return evaluate(path, value, view)
        }
    }

    private func evaluate(_ path: StatePath, _ wanted: String, _ view: ClusterView) -> Verdict {
        do throws(BastionError) {
            let document = try JSONParser.parse(try JSONText.encode(StateDocument(view)))
            let values = path.values(in: document, node: node)
            let met = !values.isEmpty && values.allSatisfy { $0 != .null && StatePath.plainText($0) == wanted }
            let actual = values.isEmpty ? "path not present in the state" : values.map(StatePath.plainText).joined(separator: ", ")
            return Verdict(met: met, actual: actual)
        } catch {
            return Verdict(met: false, actual: error.message)
        }
    }

    private func healthy(_ view: ClusterView) -> Verdict {
        if node == nil {
            let findings = StatusOutput.findings(view)
            return Verdict(
                met: findings.isEmpty, actual: findings.isEmpty ? "healthy" : findings.joined(separator: "; "))
        }
        return every(view.nodes, view) { node in
            let reachable = view.peer(named: node.name)?.reachable ?? false
            return (node.healthy && reachable, reachable ? node.state : "unreachable")
        }
    }

    /// In a cluster that follows another one the old primary may be gone: what counts is that its last position was reached.
    private func lag(_ node: NodeView, _ view: ClusterView, limit: SizeValue) -> (Bool, String) {
        guard node.streaming == true || view.standby != nil, let lag = node.lagBytes else { return (false, node.state) }
        return (lag <= limit.bytes, SizeValue(bytes: lag).description)
    }

    private func replicas(_ view: ClusterView) -> [NodeView] {
        view.nodes.filter { node == nil ? $0.role == .replica || ($0.kind == .data && $0.role == .unknown) : true }
    }

    /// Over no node at all a condition does not hold.
    private func every(_ nodes: [NodeView], _ view: ClusterView, _ judge: (NodeView) -> (Bool, String)) -> Verdict {
        let judged = nodes.filter { node == nil || $0.name == node }.map { (name: $0.name, verdict: judge($0)) }
        guard !judged.isEmpty else {
            return Verdict(met: false, actual: node.map { "node \($0) is not known" } ?? "no such node")
        }
        return Verdict(
            met: judged.allSatisfy(\.verdict.0),
            actual: judged.map { "\($0.name): \($0.verdict.1)" }.joined(separator: ", "))
    }
}
