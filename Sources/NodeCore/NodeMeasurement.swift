import ClusterModel

/// Something that happened once and is counted: returned by the core, written to the metrics page by the shell.
///
/// Only what is new: entries that are applied again after a start (RA14) are not counted a second time.
package enum NodeMeasurement: Sendable, Hashable {
    /// Another leader than the one known before.
    case leaderChanged
    /// This leader's own proposal took so long from its proposal to its application.
    case applied(Duration)
    /// A failover or switchover began.
    case operationStarted(Change)
    /// The end of a failover or switchover, with the time since it began by the clocks of the leaders.
    case operationEnded(Change, Ending, Duration)
    /// A directive was committed; the word is its type, such as `FENCE`.
    case directivePublished(String)

    /// On a leader: whether the members' digests of the state differ (CS6).
    case digestMismatch(Bool)

    package enum Change: String, Sendable, Hashable, CaseIterable { case failover, switchover }
    package enum Ending: String, Sendable, Hashable, CaseIterable { case success, failed, timeout }
}
