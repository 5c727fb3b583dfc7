import RaftCore

/// Commands that change nothing.
extension StepEngine {
    mutating func showLog(_ arguments: StepArguments) throws(StepRefusal) {
        let log = try node(arguments).visibleLog
        reply.own["first"] = .int(log.firstIndex.number)
        reply.own["entries"] = .array(log.entries(from: log.firstIndex, to: log.lastIndex).map(\.json))
    }

    /// Of two voter lists both must agree: the lower index holds.
    mutating func showCommitted(_ arguments: StepArguments) throws(StepRefusal) {
        let lists = try voterLists(arguments)
        var matched: [ServerID: LogIndex] = [:]
        for (id, value) in try byServer(arguments, "match") {
            matched[id] = LogIndex(UInt64(try StepArguments.number(value)))
        }
        let bounds = lists.compactMap { Quorum.storedIndex(voters: $0, matched: matched) }
        reply.own["index"] = bounds.min().map { .int($0.number) } ?? .null
    }

    /// Of two voter lists both must grant, and one that cannot any more is enough to lose.
    mutating func showVoteResult(_ arguments: StepArguments) throws(StepRefusal) {
        let lists = try voterLists(arguments)
        var votes: [ServerID: Bool] = [:]
        for (id, value) in try byServer(arguments, "votes") {
            guard let vote = value.bool else { throw .senseless }
            votes[id] = vote
        }
        let results = lists.map { Quorum.voteResult(voters: $0, votes: votes) }
        let isWon = results.allSatisfy { $0 == .won }
        reply.own["result"] = isWon ? "won" : results.contains(.lost) ? "lost" : "pending"
    }

    /// A list of voter lists, or one voter list.
    private func voterLists(_ arguments: StepArguments) throws(StepRefusal) -> [[ServerID]] {
        let values = try arguments.list("voters")
        guard values.contains(where: { $0.array != nil }) else { return [try StepArguments.servers(values)] }
        guard values.count <= 2 else { throw .senseless }
        var lists: [[ServerID]] = []
        for value in values {
            guard let list = value.array else { throw .senseless }
            lists.append(try StepArguments.servers(list))
        }
        return lists
    }

    private func byServer(_ arguments: StepArguments, _ key: String) throws(StepRefusal) -> [(ServerID, JSON)] {
        guard let value = arguments.value(key) else { return [] }
        guard let fields = value.object else { throw .senseless }
        var pairs: [(ServerID, JSON)] = []
        for (name, value) in fields {
            guard let id = Int(name) else { throw .senseless }
            pairs.append((try StepArguments.server(id), value))
        }
        return pairs
    }
}
