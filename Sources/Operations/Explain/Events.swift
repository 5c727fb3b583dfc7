import ClusterModel

/// `events`: the decision record as a stream of what happened in the cluster, oldest first.
package enum EventsOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var follow: Bool?
        package var since: String?
        package var type: String?
        package var n: Int?
        package var after: Int?
    }

    package static let definition = OperationDefinition(
        name: "events", summary: "list what was decided and changed in the cluster, oldest first",
        discussion: "With -f it goes on with what happens from now, until it is interrupted.",
        parameters: [
            ParameterDefinition(name: "follow", kind: .flag, help: "wait for more"),
            ParameterDefinition(
                name: "since", kind: .text, help: "not before this time, or this long ago", example: "2h",
                limits: ParameterLimits(form: "^[1-9][0-9]{0,3}(s|m|h)$")),
            ParameterDefinition(
                name: "type", kind: .text, help: "only this type or its group", example: "primary"),
            ParameterDefinition(
                name: "n", kind: .integer, help: "at most so many of the newest", defaultText: "50", example: "10", limits: ListLimit.limits
            ),
            ParameterDefinition(
                name: "after", kind: .integer, help: "only with a higher number", example: "120", limits: ParameterLimits(minimum: 0)),
        ],
        errorCodes: [.invalidRequest], examples: ["pgbastion events", "pgbastion events --type primary", "pgbastion events -f -o jsonl"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> EventsOutput {
        let view = await context.gateway.view()
        let found = try events(in: view, input)
        guard input.follow == true, input.after != nil, found.events.isEmpty else { return found }
        // A client that follows asks again and again; each question waits for something to tell.
        let limit = min(context.waitLimit ?? .seconds(5), .seconds(5))
        let changed = await ViewWatch.first(of: context.gateway, limit: limit) { next in
            next.decisions.last?.number == view.decisions.last?.number ? nil : next
        }
        return try events(in: changed ?? view, input)
    }

    private static func events(in view: ClusterView, _ input: Input) throws(BastionError) -> EventsOutput {
        let limit = try ListLimit.check(input.n, default: 50)
        var since: Int64?
        if let text = input.since { since = try TimeArgument.milliseconds(text, now: view.capturedAt, field: "since") }
        let after = UInt64(clamping: input.after ?? 0)
        let rows = view.decisions.filter { record in
            record.number > after && record.at >= since ?? .min && matches(record.kind, input.type)
        }
        return EventsOutput(
            events: rows.suffix(limit).map(EventsOutput.Event.init), last: view.decisions.last?.number ?? 0)
    }

    private static func matches(_ kind: String, _ wanted: String?) -> Bool {
        guard let wanted else { return true }
        return kind == wanted || kind.hasPrefix(wanted + ".") || (wanted == "refused" && kind.hasSuffix(".refused"))
    }
}

package struct EventsOutput: OperationOutput {
    package struct Event: Codable, Sendable {
        package var number: UInt64
        package var at: String
        package var type: String
        package var message: String
        package var actor: String
        package var rules: [String]
        @Nullable package var node: NodeName?
        @Nullable package var operationID: String?
        @Nullable package var requestID: String?
        @Nullable package var reason: String?

        init(_ record: DecisionRecord) {
            number = record.number
            at = WallTime.text(milliseconds: record.at)
            type = record.kind
            message = record.text
            actor = record.actor
            rules = record.rules
            node = record.node
            operationID = record.operationID
            requestID = record.requestID?.rawValue
            reason = record.reason
        }
    }
    package var events: [Event]
    /// The newest number there is: what `--after` goes on from.
    package var last: UInt64

    package var names: [String] { events.map { "\($0.number)" } }
    package var text: String {
        guard !events.isEmpty else { return "" }
        var table = TextTable("TIME", "TYPE", "BY", "RULES", "MESSAGE")
        for event in events { table.add(event.at, event.type, event.actor, event.rules.joined(separator: ","), event.message) }
        return table.text
    }
}
