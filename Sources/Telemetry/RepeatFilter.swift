/// Counts repeats of a line instead of writing them all (L02).
///
/// The first line of its kind is written at once, and so is one with another cause. While the same line comes again it
/// is counted; once a minute it is written with `repeated=N`.
package struct RepeatFilter: Sendable {
    /// Lines that begin with one of these are counted.
    package static let countedMessages = ["health check failed"]
    /// Fields that make two lines different; others, such as a duration, do not.
    private static let causeKeys = ["event", "node", "cause", "error", "detail"]
    private static let interval = Duration.seconds(60)
    /// Limit: when there are more different lines than this, all counts begin again.
    private static let capacity = 64

    private struct Kind: Hashable {
        var message: String
        var causes: [String?]
    }
    private struct Count {
        var lastWritten: Duration
        var suppressed = 0
    }
    private var counts: [Kind: Count] = [:]

    package init() {}

    package enum Verdict: Sendable, Hashable {
        case write
        /// Write, and say how many were left out before.
        case writeCounted(Int)
        case suppress
    }

    /// - Parameter now: Time since any fixed moment; it must not go back.
    package mutating func judge(_ message: String, _ fields: [String: String], now: Duration) -> Verdict {
        guard RepeatFilter.countedMessages.contains(where: { message.hasPrefix($0) }) else { return .write }
        let kind = Kind(message: message, causes: RepeatFilter.causeKeys.map { fields[$0] })
        guard let count = counts[kind] else {
            if counts.count >= RepeatFilter.capacity { counts = [:] }
            counts[kind] = Count(lastWritten: now)
            return .write
        }
        if now - count.lastWritten < RepeatFilter.interval {
            counts[kind]?.suppressed += 1
            return .suppress
        }
        counts[kind] = Count(lastWritten: now)
        return count.suppressed == 0 ? .write : .writeCounted(count.suppressed)
    }
}
