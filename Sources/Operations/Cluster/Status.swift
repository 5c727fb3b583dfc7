import ClusterModel

/// `status`: the whole cluster on one screen.
package enum StatusOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var exitCode: Bool?
    }

    package static let definition = OperationDefinition(
        name: "status", summary: "show the cluster: leader, quorum, primary, replicas and their lag",
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "only this node", example: "node2"),
            ParameterDefinition(
                name: "exit_code", kind: .flag, help: "exit 2 when something is wrong, 5 without quorum"),
        ],
        errorCodes: [.notFound], examples: ["pgbastion status", "pgbastion status -o json"], aliases: ["list"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> StatusOutput {
        let view = await context.gateway.view()
        var output = StatusOutput(view)
        if let name = input.node {
            if view.peer(named: name) == nil { _ = try view.requireNode(name) }
            output.nodes = output.nodes.filter { $0.name == name.rawValue }
        }
        if input.exitCode == true { output.exit = output.findings.isEmpty ? 0 : view.raft.hasQuorum ? 2 : 5 }
        return output
    }
}

package struct StatusOutput: OperationOutput {
    package struct Cluster: Codable, Sendable {
        @Nullable package var id: String?
        package var name: String
        package var epoch: UInt32
        package var healthy: Bool
    }
    package struct Paused: Codable, Sendable {
        package var active: Bool
        @Nullable package var since: String?
        @Nullable package var until: String?
        @Nullable package var reason: String?
        @Nullable package var by: String?
    }
    package struct Primary: Codable, Sendable {
        package var name: NodeName
        package var timeline: TimelineID
        package var phase: String
        package var token: FencingToken
        @Nullable package var lsn: LSN?
    }
    package struct Address: Codable, Sendable {
        @Nullable package var owner: NodeName?
        @Nullable package var ownerReason: String?
        /// Without the length of the network; null when none is configured.
        @Nullable package var address: String?
    }
    package struct Backup: Codable, Sendable {
        package var id: String
        package var ageSeconds: Double
    }
    package struct Synchronous: Codable, Sendable {
        package var mode: String
        package var degraded: Bool
        package var required: Int
        package var members: [NodeName]
    }

    package var cluster: Cluster
    package var raft: RaftStatusOutput
    package var paused: Paused
    @Nullable package var primary: Primary?
    @Nullable package var primaryReason: String?
    package var nodes: [NodeRow]
    package var vip: Address
    package var synchronous: Synchronous
    @Nullable package var operation: OperationRow?
    /// The newest good backup of the cluster's state; null when none is known.
    @Nullable package var backup: Backup?
    package var splitBrain: Bool
    /// Whether this cluster follows another one.
    package var standby: StateDocument.Standby
    /// `HOST:PORT` of the cluster that is followed.
    @Nullable package var standbyOf: String?
    package var staleSeconds: Double
    /// What is wrong, in sentences; empty when nothing is.
    package var findings: [String]
    /// The exit status `--exit-code` asked for.
    package var exit: Int32

    package init(_ view: ClusterView) {
        let findings = StatusOutput.findings(view)
        cluster = Cluster(
            id: view.clusterID?.short, name: view.clusterName, epoch: view.epoch, healthy: findings.isEmpty)
        raft = RaftStatusOutput(view)
        paused = Paused(view)
        primary = view.primary.map {
            Primary(name: $0.name, timeline: $0.timeline, phase: $0.phase, token: $0.token, lsn: $0.lsn)
        }
        primaryReason = view.primaryAbsence
        nodes = NodeRow.all(in: view)
        vip = Address(
            owner: view.vipOwner, ownerReason: view.vipReason,
            address: view.virtualAddress.map { String($0.address.prefix { $0 != "/" }) })
        synchronous = Synchronous(
            mode: view.synchronous.mode, degraded: view.synchronous.degraded, required: view.synchronous.required,
            members: view.synchronous.members)
        operation = view.operation.map(OperationRow.init)
        let standing = BackupStanding(view)
        backup = standing.last.flatMap { record in standing.age(record).map { Backup(id: record.id, ageSeconds: $0) } }
        splitBrain = view.splitBrain
        standby = StateDocument.Standby(view)
        standbyOf = view.standby?.upstream.address
        staleSeconds = view.staleSeconds
        self.findings = findings
        exit = 0
    }

    package var exitStatus: Int32 { exit }
    package var names: [String] { nodes.map(\.name) }

    /// The words of the health check `cluster.healthy`.
    static func findings(_ view: ClusterView) -> [String] {
        var findings: [String] = []
        if view.splitBrain { findings.append("split brain: two writable servers were seen") }
        if !view.raft.hasQuorum {
            findings.append("no quorum: \(view.raft.votersReachable) of \(view.raft.voters) voters")
        }
        if view.raft.leader == nil { findings.append("no leader") }
        if let standby = view.standby {
            if !standby.isStreaming { findings.append("no node streams from \(standby.upstream.address), which this cluster follows") }
        } else if view.primary == nil {
            findings.append("no primary")
        }
        for node in view.nodes where !node.healthy { findings.append("\(node.name) is not healthy: \(node.state)") }
        for node in view.nodes where node.healthy && node.role == .replica && node.streaming != true {
            findings.append("\(node.name) does not stream")
        }
        for peer in view.peers where !peer.reachable { findings.append("\(peer.name) does not answer") }
        if view.synchronous.degraded { findings.append("synchronous replication is degraded") }
        return findings
    }
}

extension StatusOutput.Paused {
    init(_ view: ClusterView) {
        let until = view.paused.flatMap { pause in pause.forSeconds.flatMap { Timestamp.adding($0, to: pause.since) } }
        self.init(
            active: view.paused != nil, since: view.paused?.since, until: until, reason: view.paused?.reason,
            by: view.paused?.by)
    }

    var text: String {
        guard active else { return "automatic failover on" }
        return "automatic failover PAUSED" + (until.map { " until \(Timestamp.clock($0))" } ?? "")
            + (reason.map { $0.isEmpty ? "" : " (\($0))" } ?? "")
    }
}

extension StatusOutput {
    package var text: String { lines(table(wide: false)) }
    package var wideText: String { lines(table(wide: true)) }

    private func lines(_ table: String) -> String {
        var lines = [header]
        if splitBrain { lines.append("SPLIT BRAIN: two writable servers were seen; routing to both has stopped") }
        if staleSeconds > 0 { lines.append("no contact with a leader for \(DecimalText.age(staleSeconds))") }
        if let operation { lines.append(operation.progressLine) }
        lines.append(table)
        return lines.joined(separator: "\n")
    }

    private var header: String {
        let leader = raft.leaderID.isEmpty ? "no leader" : "leader \(raft.leaderID)"
        let reached = "\(raft.votersReachable)/\(raft.voters)"
        let quorum = raft.hasQuorum ? "quorum \(reached), tolerates \(raft.failuresTolerated)" : "NO QUORUM \(reached)"
        let sync =
            synchronous.mode == "off"
            ? "sync off"
            : "sync \(synchronous.mode) \(synchronous.required) of \(synchronous.members.count)"
                + (synchronous.degraded ? " DEGRADED" : "")
        let follows = standbyOf.map { of in
            "standby of \(of), \(standby.lagBytes.map { "lag \(SizeValue(bytes: $0))" } ?? "lag unknown")"
        }
        return [
            cluster.name, follows, "epoch \(cluster.epoch)", "\(leader) (term \(raft.term))", quorum, paused.text, sync,
            backup.map { "backup \(DecimalText.age($0.ageSeconds)) ago" },
        ].compactMap { $0 }.joined(separator: " · ")
    }

    private func table(wide: Bool) -> String {
        var table = TextTable("NODE", "ROLE", "STATE", "LAG", "TL", "RAFT", "VERSION", "SEEN")
        if wide {
            table = TextTable(
                "NODE", "ROLE", "STATE", "LAG", "TL", "RAFT", "VERSION", "SEEN", "HOST", "LSN", "SYNC", "ROTATION",
                "PROMOTABLE")
        }
        for node in nodes {
            var cells = [
                node.name, node.role.rawValue, node.stateText, node.lagText, node.timeline.orDash, node.raft,
                node.version.orDash, node.seenText,
            ]
            if wide {
                cells += [
                    node.host, node.lsn.orDash, node.sync, node.inRotation ? "yes" : node.rotationReason ?? "no",
                    node.promotable ? "yes" : node.promotableReason ?? "no",
                ]
            }
            if node.vip { cells.append("VIP" + (vip.address.map { " \($0)" } ?? "")) }
            table.add(cells)
        }
        return table.text
    }
}
