import ClusterModel

/// `logs`: the newest log lines of the daemons, asked of the nodes themselves (L05, section 3.4 of the command line contract).
package enum LogsOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var event: LogTopic?
        package var requestID: String?
        package var node: NodeName?
        package var all: Bool?
        package var since: String?
        package var n: Int?
        package var follow: Bool?
        package var after: Int?
    }

    package static let definition = OperationDefinition(
        name: "logs", summary: "show log lines of one node or of all, oldest first",
        discussion:
            "Each daemon keeps its last 4096 lines in memory; what is older is in its journal. With -f it goes on with\n"
            + "what comes, until it is interrupted. `journalctl -u pgbastion` shows the same lines on the node itself.",
        parameters: [
            ParameterDefinition(
                name: "event", kind: .choice, help: "only lines about this", choices: LogTopic.allCases.map(\.rawValue),
                example: "failover"),
            ParameterDefinition(name: "request_id", kind: .text, help: "only lines with this request id", example: "abc123"),
            ParameterDefinition(name: "node", kind: .nodeName, help: "the node; default is the one that answers", example: "node2"),
            ParameterDefinition(name: "all", kind: .flag, help: "of every node"),
            ParameterDefinition(
                name: "since", kind: .text, help: "not before this time, or this long ago", example: "2h",
                limits: ParameterLimits(form: "^[1-9][0-9]{0,3}(s|m|h)$")),
            ParameterDefinition(
                name: "n", kind: .integer, help: "at most so many of the newest", defaultText: "100", example: "20",
                limits: ListLimit.limits),
            ParameterDefinition(name: "follow", kind: .flag, help: "wait for more"),
            ParameterDefinition(
                name: "after", kind: .integer, help: "only with a higher number", example: "1771293600123000",
                limits: ParameterLimits(minimum: 0)),
        ],
        errorCodes: [.notFound, .invalidRequest, .unavailable],
        examples: [
            "pgbastion logs", "pgbastion logs --event failover --all", "pgbastion logs --request-id abc123 --all", "pgbastion logs -f",
        ])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> LogsOutput {
        let view = await context.gateway.view()
        guard input.node == nil || input.all != true else {
            throw BastionError(.invalidRequest, "fields \"node\" and \"all\" exclude each other")
        }
        var nodes = input.all == true ? view.nodes.map(\.name) : [view.node]
        if let node = input.node { nodes = [try view.requireNode(node).name] }
        let limit = input.after == nil ? try ListLimit.check(input.n, default: 100) : LogsOutput.mostAtOnce
        let query = LogQuery(topic: input.event, requestID: input.requestID, after: try first(input, view), limit: limit)
        var records: [LogRecord] = []
        var silent: [String] = []
        for (node, answer) in await context.askAll(nodes.isEmpty ? [view.node] : nodes, .logs(query)) {
            switch answer {
            case .success(.logs(let found)): records += found
            case .success: throw NodeReply.mismatch(.logs(query))
            case .failure(let error):
                guard input.all == true else { throw error }
                silent.append("\(node): \(error.message)")
            }
        }
        records.sort { ($0.number, $0.node) < ($1.number, $1.node) }
        return LogsOutput(records: records.suffix(limit), silent: silent, after: query.after)
    }

    private static func first(_ input: Input, _ view: ClusterView) throws(BastionError) -> UInt64 {
        var first = UInt64(clamping: input.after ?? 0)
        if let since = input.since {
            let milliseconds = try TimeArgument.milliseconds(since, now: view.capturedAt, field: "since")
            first = max(first, UInt64(clamping: milliseconds.multipliedReportingOverflow(by: 1_000).partialValue))
        }
        return first
    }
}

package struct LogsOutput: OperationOutput {
    /// Limit: lines in one answer to a client that follows.
    static let mostAtOnce = 1_000

    package struct Record: Codable, Sendable {
        package var number: UInt64
        package var time: String
        package var node: NodeName
        package var level: String
        @Nullable package var event: String?
        package var message: String
        @Nullable package var requestID: String?
        package var fields: [String: String]

        init(_ record: LogRecord) {
            number = record.number
            time = record.time
            node = record.node
            level = record.level
            event = record.event
            message = record.message
            requestID = record.requestID
            fields = record.fields
        }

        /// As the daemon wrote it, with the node that did.
        var line: String {
            var pairs = [("event", event), ("request_id", requestID)].compactMap { key, value in value.map { (key, $0) } }
            pairs += fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            let shown = pairs.map {
                "\($0.0)=\($0.1.contains { $0 == " " || $0 == "\"" || $0 == "=" } ? "\"\($0.1.replacing("\"", with: "\\\""))\"" : $0.1)"
            }
            return "\(time) \(node) \(level.uppercased()) \(message) \(shown.joined(separator: " "))"
        }
    }
    package var records: [Record]
    /// What `--after` goes on from.
    package var last: UInt64
    /// Nodes that did not answer, with the reason.
    package var silent: [String]

    init(records: some Sequence<LogRecord>, silent: [String], after: UInt64) {
        self.records = records.map(Record.init)
        self.silent = silent
        last = self.records.last?.number ?? after
    }

    package var warnings: [String] { silent }
    package var names: [String] { records.map { "\($0.number)" } }
    package var text: String {
        guard !records.isEmpty else { return "" }
        return "TIME NODE LEVEL MESSAGE\n" + records.map(\.line).joined(separator: "\n")
    }
}
