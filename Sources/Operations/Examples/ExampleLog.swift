import ClusterModel

/// What the daemons of the example cluster have logged.
enum ExampleLog {
    static func records(_ node: NodeName) -> [LogRecord] {
        [
            LogRecord(
                number: 1_771_293_600_123_000, time: "2026-02-17T02:00:00.123Z", node: node, level: "info",
                event: "raft.became_leader", message: "became leader", requestID: nil, fields: ["term": "7"])
        ]
    }
}
