/// The arithmetic of majorities.
package enum Quorum {
    package enum VoteResult: Sendable, Hashable {
        case won, lost, pending
    }

    /// The smallest number of `count` voters that is a majority.
    package static func majority(of count: Int) -> Int { count / 2 + 1 }

    /// The highest index that a quorum of `voters` has stored, or nil when there are no voters ("no bound").
    ///
    /// - Parameter matched: Stored index per voter; absent voters count as `.zero`. Order is irrelevant.
    /// - Invariant: The result never decreases when values in `matched` increase.
    /// - Source: Raft thesis, section 3.6.2.
    package static func storedIndex(voters: [ServerID], matched: [ServerID: LogIndex]) -> LogIndex? {
        let distinct = Set(voters)
        guard !distinct.isEmpty else { return nil }
        let indexes = distinct.map { matched[$0] ?? .zero }.sorted(by: >)
        return indexes[majority(of: indexes.count) - 1]
    }

    /// The outcome of an election so far; without voters it is won.
    ///
    /// - Parameter votes: True for a granted, false for a refused vote; absent voters have not answered.
    package static func voteResult(voters: [ServerID], votes: [ServerID: Bool]) -> VoteResult {
        let distinct = Set(voters)
        guard !distinct.isEmpty else { return .won }
        let needed = majority(of: distinct.count)
        var granted = 0
        var refused = 0
        for voter in distinct {
            switch votes[voter] {
            case true: granted += 1
            case false: refused += 1
            case nil: break
            }
        }
        if granted >= needed { return .won }
        return refused > distinct.count - needed ? .lost : .pending
    }
}
