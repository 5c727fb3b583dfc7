/// One line of a daemon's log, as another node or a client sees it.
package struct LogRecord: Sendable, Codable, Hashable {
    /// Microseconds since 1970, made larger where two lines of one node would have the same: it orders and identifies them.
    package var number: UInt64
    /// RFC 3339.
    package var time: String
    /// The node that wrote it.
    package var node: NodeName
    /// `debug info warn error`
    package var level: String
    /// Stable: `raft.became_leader`.
    package var event: String?
    package var message: String
    package var requestID: String?
    package var fields: [String: String]

    package init(
        number: UInt64, time: String, node: NodeName, level: String, event: String?, message: String, requestID: String?,
        fields: [String: String]
    ) {
        self.number = number
        self.time = time
        self.node = node
        self.level = level
        self.event = event
        self.message = message
        self.requestID = requestID
        self.fields = fields
    }
}

/// Which lines are wanted.
package struct LogQuery: Sendable, Codable, Hashable {
    package var topic: LogTopic?
    package var requestID: String?
    /// Only lines with a higher number.
    package var after: UInt64
    /// At most so many, the newest.
    package var limit: Int

    package init(topic: LogTopic? = nil, requestID: String? = nil, after: UInt64 = 0, limit: Int = 100) {
        self.topic = topic
        self.requestID = requestID
        self.after = after
        self.limit = limit
    }

    package func matches(_ record: LogRecord) -> Bool {
        guard record.number > after else { return false }
        if let requestID, record.requestID != requestID { return false }
        return topic?.matches(record) ?? true
    }
}

/// The four log patterns of the operations guide (L01 to L04), each with the events that belong to it.
package enum LogTopic: String, Sendable, Codable, Hashable, CaseIterable {
    case failover, health, raft, auth

    package func matches(_ record: LogRecord) -> Bool {
        let group = record.event.map { $0.prefix { $0 != "." } } ?? ""
        switch self {
        case .failover:
            return ["failover", "operation"].contains(group)
                || ["failover", "promote", "demote"].contains { record.message.lowercased().contains($0) }
        case .health: return group == "postgres" || record.message.hasPrefix("health check failed")
        case .raft: return group == "raft" || group == "membership"
        case .auth: return record.message.hasPrefix("invalid auth token") || record.event == "api.unauthenticated"
        }
    }
}
