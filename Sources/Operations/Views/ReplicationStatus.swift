import ClusterModel

/// `replication.status`: lag and streaming per replica, without `psql`.
package enum ReplicationStatusOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package static let definition = OperationDefinition(
        name: "replication.status", summary: "show lag and streaming of every replica",
        examples: ["pgbastion replication status", "pgbastion lag -o wide"], aliases: ["lag", "replication"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> ReplicationOutput {
        ReplicationOutput(await context.gateway.view())
    }
}

package struct ReplicationOutput: OperationOutput {
    package struct Replica: Codable, Sendable {
        package var name: NodeName
        package var state: String
        package var sync: String
        @Nullable package var streaming: Bool?
        @Nullable package var lagBytes: UInt64?
        @Nullable package var lagBytesReason: String?
        @Nullable package var lagSeconds: Double?
        @Nullable package var sentLSN: LSN?
        @Nullable package var writeLSN: LSN?
        @Nullable package var flushLSN: LSN?
        @Nullable package var replayLSN: LSN?
        @Nullable package var timeline: TimelineID?
        @Nullable package var measuredAt: String?
        @Nullable package var measuredSeconds: Double?
    }
    package struct Slot: Codable, Sendable {
        package var node: NodeName
        package var name: String
        package var type: String
        package var active: Bool
        @Nullable package var walBytes: UInt64?
        @Nullable package var walStatus: String?
        package var managed: Bool
    }
    @Nullable package var primary: NodeName?
    @Nullable package var primaryReason: String?
    @Nullable package var timeline: TimelineID?
    @Nullable package var lsn: LSN?
    package var replicas: [Replica]
    package var slots: [Slot]

    package init(_ view: ClusterView) {
        primary = view.primary?.name
        primaryReason = view.primaryAbsence
        timeline = view.primary?.timeline
        lsn = view.primary?.lsn ?? view.primaryNode?.lsn ?? view.standby?.upstreamLSN
        replicas = view.replicaNodes.map { Replica($0, in: view) }
        slots = view.slots
    }

    package var names: [String] { replicas.map(\.name.rawValue) }
}

extension ReplicationOutput.Replica {
    init(_ node: NodeView, in view: ClusterView) {
        self.init(
            name: node.name, state: node.state, sync: node.sync, streaming: node.streaming, lagBytes: node.lagBytes,
            lagBytesReason: node.lagBytes == nil ? "no position of this node is known" : nil,
            lagSeconds: node.lagSeconds, sentLSN: node.replication?.sentLSN, writeLSN: node.replication?.writeLSN,
            flushLSN: node.replication?.flushLSN, replayLSN: node.replication?.replayLSN ?? node.lsn,
            timeline: node.timeline, measuredAt: view.measuredAt(node), measuredSeconds: node.lastSeenSeconds)
    }
}

extension ClusterView {
    /// Why there is no primary; nil: there is one.
    package var primaryAbsence: String? {
        guard primary == nil else { return nil }
        return standby.map { "this cluster follows \($0.upstream.address)" } ?? "no node is assigned as primary"
    }

    /// Nodes with data that are not the primary.
    package var replicaNodes: [NodeView] { nodes.filter { $0.kind == .data && $0.name != primary?.name } }

    /// When the facts of `node` were seen; nil when never.
    package func measuredAt(_ node: NodeView) -> String? {
        node.lastSeenSeconds.flatMap { Timestamp.adding(-$0, to: capturedAt) }
    }

    package var slots: [ReplicationOutput.Slot] {
        let managed = Set(nodes.map(\.name.slotName))
        return nodes.flatMap { node in
            node.slots.map { slot in
                ReplicationOutput.Slot(
                    node: node.name, name: slot.name, type: slot.isPhysical ? "physical" : "logical",
                    active: slot.isActive, walBytes: slot.retainedBytes, walStatus: slot.walStatus,
                    managed: slot.isPhysical && managed.contains(slot.name))
            }
        }
    }
}

extension ReplicationOutput {
    package var text: String { header + "\n" + table(wide: false) }
    package var wideText: String { header + "\n" + table(wide: true) }

    private var header: String {
        guard let primary else { return [primaryReason ?? "no primary", lsn?.description].compactMap { $0 }.joined(separator: " · ") }
        return ["primary \(primary)", timeline.map { "timeline \($0)" }, lsn?.description].compactMap { $0 }
            .joined(separator: " · ")
    }

    private func table(wide: Bool) -> String {
        var header = ["NODE", "STATE", "SYNC", "LAG", "TIME", "SLOT", "ACTIVE", "MEASURED"]
        if wide { header += ["WRITE", "FLUSH", "REPLAY", "WAL_STATUS"] }
        var table = TextTable()
        table.add(header)
        for replica in replicas {
            let slot = slots.first { $0.node == primary && $0.name == replica.name.slotName }
            var cells = [
                replica.name.rawValue, replica.state, replica.sync,
                replica.lagBytes.map { SizeValue(bytes: $0).description } ?? "-",
                replica.lagSeconds.map(DecimalText.age) ?? "-", (slot?.name).orDash,
                slot.map { $0.active ? "yes" : "no" } ?? "-",
                replica.measuredSeconds.map { DecimalText.age($0) + " ago" } ?? "never",
            ]
            if wide {
                cells += [
                    replica.writeLSN.orDash, replica.flushLSN.orDash, replica.replayLSN.orDash,
                    (slot?.walStatus).orDash,
                ]
            }
            table.add(cells)
        }
        return table.text
    }
}
