import RaftCore
import Testing

struct QuorumTests {
    private func stored(_ matches: [Int]) -> LogIndex? {
        let pairs = matches.enumerated().map { (server($0.offset + 1), index($0.element)) }
        return Quorum.storedIndex(
            voters: pairs.map(\.0), matched: Dictionary(uniqueKeysWithValues: pairs))
    }

    @Test func `a majority has stored the index`() {
        #expect(stored([]) == nil)
        #expect(stored([7]) == index(7))
        #expect(stored([7, 3]) == index(3))
        #expect(stored([7, 3, 5]) == index(5))
        #expect(stored([7, 3, 5, 9]) == index(5))
        #expect(stored([1, 2, 3, 4, 5]) == index(3))
        #expect(Quorum.storedIndex(voters: [server(1), server(2), server(3)], matched: [server(1): index(9)]) == .zero)
    }

    @Test func `an election is won, lost or open`() {
        let voters = (1...4).map(server)
        func result(_ votes: [Int: Bool]) -> Quorum.VoteResult {
            Quorum.voteResult(
                voters: voters, votes: Dictionary(uniqueKeysWithValues: votes.map { (server($0.key), $0.value) }))
        }
        #expect(result([:]) == .pending)
        #expect(result([1: true, 2: true]) == .pending)
        #expect(result([1: true, 2: true, 3: true]) == .won)
        #expect(result([1: true, 2: false, 3: false]) == .lost)
        #expect(result([1: true, 9: true, 8: true]) == .pending)
        #expect(Quorum.voteResult(voters: [], votes: [:]) == .won)
    }
}
