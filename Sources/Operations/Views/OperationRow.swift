import ClusterModel

/// One element of `operations[]`: a change that runs or ran in the cluster.
package struct OperationRow: OperationOutput, Hashable {
    package struct Phase: Codable, Sendable, Hashable {
        package var name: String
        package var detail: String
        package var elapsedSeconds: Double
    }

    package var id: String
    /// The operation of the catalogue: `switchover`, `node.reinit`.
    package var name: String
    package var kind: String
    /// `running succeeded failed undone`
    package var state: OperationView.Result
    package var phase: String
    package var phases: [Phase]
    @Nullable package var from: NodeName?
    @Nullable package var to: NodeName?
    package var startedAt: String
    @Nullable package var finishedAt: String?
    /// What it ended with; null while it runs.
    @Nullable package var result: String?
    @Nullable package var error: String?
    @Nullable package var requestID: String?
    @Nullable package var oldTimeline: TimelineID?
    @Nullable package var newTimeline: TimelineID?
    @Nullable package var lsn: LSN?
    @Nullable package var lostBytesMax: UInt64?
    @Nullable package var provenLossless: Bool?
    @Nullable package var fenceMethod: String?

    package init(_ operation: OperationView) {
        id = operation.id
        switch operation.kind {
        case "reinitialize": name = "node.reinit"
        case "restart": name = "node.restart"
        case "standby_promote": name = "standby.promote"
        default: name = operation.kind
        }
        kind = operation.kind
        state = operation.result
        phase = operation.phase
        phases = operation.phases.map {
            Phase(name: $0.name, detail: $0.detail, elapsedSeconds: $0.elapsedSeconds)
        }
        from = operation.from
        to = operation.to
        startedAt = operation.startedAt
        finishedAt = operation.finishedAt
        let isFailure = operation.result == .failed || operation.result == .undone
        result = operation.result == .running ? nil : operation.message
        error = isFailure ? operation.message : nil
        requestID = operation.requestID
        oldTimeline = operation.oldTimeline
        newTimeline = operation.newTimeline
        lsn = operation.lsn
        lostBytesMax = operation.lostBytesMax
        provenLossless = operation.provenLossless
        fenceMethod = operation.fenceMethod
    }

    /// `node1 -> node2`; empty when neither is known.
    var direction: String {
        switch (from, to) {
        case (let from?, let to?): "\(from) -> \(to)"
        case (nil, let to?): "-> \(to)"
        case (let from?, nil): "\(from) ->"
        case (nil, nil): ""
        }
    }

    /// The line of a running operation in `status`.
    var progressLine: String {
        ["operation \(id)", name, direction, "phase \(phase)"].filter { !$0.isEmpty }.joined(separator: " · ")
    }

    package var text: String {
        let head = direction.isEmpty ? "operation \(id) · \(name)" : "operation \(id) · \(name) · \(direction)"
        var lines = [head]
        if !phases.isEmpty { lines.append(PhaseText.lines(phases)) }
        switch state {
        case .running: lines.append("running: \(phase)")
        case .succeeded: lines.append(result.map { $0.isEmpty ? "succeeded" : $0 } ?? "succeeded")
        case .failed, .undone: lines.append("\(state.rawValue): \(error ?? "")")
        }
        return lines.joined(separator: "\n")
    }

    package var names: [String] { [id] }
}

/// The phases of an operation for people (`cli.md`, 4.4).
package enum PhaseText {
    package static func lines(_ phases: [OperationRow.Phase]) -> String {
        let nameWidth = phases.map(\.name.count).max() ?? 0
        let detailWidth = phases.map(\.detail.count).max() ?? 0
        return phases.map { phase in
            let name = phase.name + String(repeating: " ", count: nameWidth - phase.name.count)
            let detail = phase.detail + String(repeating: " ", count: detailWidth - phase.detail.count)
            return "✓ \(name)  \(detail)  \(DecimalText.oneDigit(phase.elapsedSeconds))s"
        }.joined(separator: "\n")
    }
}
