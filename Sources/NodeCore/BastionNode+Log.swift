import ClusterModel
import FailoverCore
import RaftCore

extension BastionNode {
    /// The last entries of this node's log, newest last, without what they contain: values may be secret.
    package func logEntries(last count: Int) -> [LogEntryView] {
        raft.lastEntries(count).map { entry in
            switch entry.kind {
            case .empty: return LogEntryView(entry, kind: "empty")
            case .membership: return LogEntryView(entry, kind: "membership")
            case .command: return command(entry)
            }
        }
    }

    private func command(_ entry: LogEntry) -> LogEntryView {
        var view = LogEntryView(entry, kind: "command")
        do {
            let decoded = try StateCodec.decode(ClusterEntry.self, entry.payload)
            view.command = decoded.command.caseName
            view.actor = decoded.actor
            view.requestID = decoded.trace
            view.rules = decoded.rules
            view.at = WallTime.text(milliseconds: decoded.wallTime)
        } catch {
            view.command = "unreadable"
        }
        return view
    }
}

extension LogEntryView {
    fileprivate init(_ entry: LogEntry, kind: String) {
        self.init(index: entry.index.rawValue, term: entry.term.rawValue, kind: kind, bytes: entry.payload.count)
    }
}
