import ClusterModel

/// `history`: past failovers and switchovers, newest first.
package enum HistoryOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var n: Int?
    }

    package struct Output: OperationOutput {
        package struct Change: Codable, Sendable {
            package var at: String
            package var kind: String
            @Nullable package var from: NodeName?
            @Nullable package var to: NodeName?
            @Nullable package var timeline: TimelineID?
            @Nullable package var lsn: LSN?
            package var reason: String
            @Nullable package var lostBytesMax: UInt64?
        }
        package var changes: [Change]
        package var text: String {
            guard !changes.isEmpty else { return "no failover or switchover so far" }
            var table = TextTable("AT", "KIND", "FROM", "TO", "TL", "LSN", "LOST", "REASON")
            for change in changes {
                table.add(
                    change.at, change.kind, change.from.orDash, change.to.orDash, change.timeline.orDash,
                    change.lsn.orDash, change.lostBytesMax.map { SizeValue(bytes: $0).description } ?? "-",
                    change.reason)
            }
            return table.text
        }
        package var names: [String] { changes.map(\.at) }
    }

    package static let definition = OperationDefinition(
        name: "history", summary: "list past failovers and switchovers",
        parameters: [
            ParameterDefinition(
                name: "n", kind: .integer, help: "at most so many", defaultText: "20", example: "5", limits: ListLimit.limits)
        ],
        examples: ["pgbastion history", "pgbastion history -n 5"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let limit = try ListLimit.check(input.n, default: 20)
        let finished = view.recentOperations.filter { $0.result == .succeeded && $0.newTimeline != nil }
        let known = Set(finished.compactMap(\.newTimeline))
        let operations = finished.map { operation in
            Output.Change(
                at: operation.finishedAt ?? operation.startedAt, kind: operation.kind, from: operation.from,
                to: operation.to, timeline: operation.newTimeline, lsn: operation.lsn, reason: operation.message,
                lostBytesMax: operation.lostBytesMax)
        }
        // Older ones are known only from the timelines they began.
        let older = view.history.filter { !known.contains($0.timeline) }.map { entry in
            Output.Change(
                at: entry.at, kind: "timeline", from: nil, to: entry.node, timeline: entry.timeline,
                lsn: entry.forkLSN, reason: entry.reason, lostBytesMax: nil)
        }
        return Output(changes: Array((operations + older).sorted { $0.at > $1.at }.prefix(limit)))
    }
}

/// `-n` of lists.
enum ListLimit {
    static let limits = ParameterLimits(minimum: 1, maximum: 10_000)

    static func check(_ given: Int?, default count: Int) throws(BastionError) -> Int {
        guard let given else { return count }
        guard (1...10_000).contains(given) else {
            throw BastionError(.invalidRequest, "field \"n\" must be 1 to 10000")
        }
        return given
    }
}
