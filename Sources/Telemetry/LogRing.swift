import ClusterModel
import Synchronization

/// The newest log lines of this process, for `pgbastion logs`: as they were written, whatever the journal keeps.
package final class LogRing: Sendable {
    /// Limit: lines kept; older ones are in the journal.
    package static let capacity = 4_096
    /// Limit: characters kept of one value.
    private static let longestValue = 2_048

    private struct State {
        /// A ring: `next` is the place of the oldest line once it is full.
        var records: [LogRecord] = []
        var next = 0
        var lastNumber: UInt64 = 0
    }
    private let state = Mutex(State())
    private let node: NodeName

    package init(node: NodeName) { self.node = node }

    func add(_ line: LogLine) {
        var fields: [String: String] = [:]
        for field in line.fields { fields[field.key] = String(field.value.prefix(LogRing.longestValue)) }
        let event = fields.removeValue(forKey: "event")
        let requestID = fields.removeValue(forKey: "request_id")
        if fields["node"] == node.rawValue { fields["node"] = nil }
        state.withLock { state in
            state.lastNumber = max(UInt64(clamping: line.time.milliseconds) * 1_000, state.lastNumber + 1)
            let record = LogRecord(
                number: state.lastNumber, time: line.time.description, node: node, level: line.level.rawValue, event: event,
                message: String(line.message.prefix(LogRing.longestValue)), requestID: requestID, fields: fields)
            if state.records.count < LogRing.capacity {
                state.records.append(record)
            } else {
                state.records[state.next] = record
                state.next = (state.next + 1) % LogRing.capacity
            }
        }
    }

    /// The newest lines that match, oldest first.
    package func records(_ query: LogQuery) -> [LogRecord] {
        let (records, next) = state.withLock { ($0.records, $0.next) }
        let ordered = records[next...] + records[..<next]
        return ordered.filter(query.matches).suffix(max(0, query.limit))
    }
}
