/// What may be looked at without taking part.
extension RaftNode {
    /// At most `count` entries from the end of the log, oldest first; fewer when older ones lie in a snapshot.
    package func lastEntries(_ count: Int) -> [LogEntry] { Array(log.entries.suffix(max(0, count))) }
}
