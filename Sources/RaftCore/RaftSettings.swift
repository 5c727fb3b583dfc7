/// The times and limits of one Raft server. Times are counted in ticks; the caller decides how long a tick is.
package struct RaftSettings: Sendable, Hashable {
    /// The election timeout is drawn from [electionTicks, 2 x electionTicks).
    package var electionTicks = 60
    package var heartbeatTicks = 10
    /// RA4: a leader without an acknowledged round from a majority for this long becomes a follower.
    package var checkQuorumTicks = 100
    package var preVote = true
    package var checkQuorum = true
    /// RA16: after a split vote the next try comes after a random number of ticks in this range.
    package var splitVoteRetryTicks = 5...30
    /// RA17: draw election timeouts from the upper half of the range (this server is on the primary's node).
    package var prefersNotToLead = false
    // Limits of RA21, each named.
    package var maxEntryBytes = 256 * 1024
    package var maxAppendBytes = 512 * 1024
    package var maxAppendEntries = 128
    package var maxInflightMessages = 64
    package var maxInflightBytes = 4 * 1024 * 1024
    package var maxUncommittedBytes = 8 * 1024 * 1024
    package var snapshotChunkBytes = 256 * 1024
    package var maxSnapshotBytes = 64 * 1024 * 1024
    /// RA9: a learner is caught up when within this many entries of the leader's last for two rounds in a row.
    package var caughtUpEntries = 64

    /// Reads that wait for their round; one more fails at once.
    package var maxPendingReads = 4096
    /// Entries handed out by one `Ready`; the rest comes with the next.
    package var maxCommittedPerReady = 4096

    package init() {}
}
