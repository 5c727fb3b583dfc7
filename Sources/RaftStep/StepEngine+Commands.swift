import RaftCore

/// What can be asked of a running node.
extension StepEngine {
    /// Limit: more ticks in one command are refused; they would look like a hang.
    private static let mostTicks = 1_000_000

    mutating func tick(_ arguments: StepArguments) throws(StepRefusal) {
        let id = try runningNode(arguments)
        let count = try arguments.number("n", default: 1, in: 0...Self.mostTicks)
        for _ in 0..<count { try drive(id) { $0.tick() } }
        show(id)
    }

    mutating func setTimeout(_ arguments: StepArguments) throws(StepRefusal) {
        let ticks = try arguments.number("ticks")
        try change(arguments) { $0.setElectionTimeout(ticks: ticks) }
    }

    mutating func propose(_ arguments: StepArguments) throws(StepRefusal) {
        let payload = StepPayload.bytes(of: arguments.value("data"))
        var result = Result<ProposalReceipt, ProposalRefusal>.failure(.busy)
        try change(arguments) { result = $0.propose(payload) }
        note(result)
    }

    mutating func deliver(_ arguments: StepArguments) throws(StepRefusal) {
        guard let message = messages[try arguments.number("msg")] else { throw .senseless }
        try change(message.to.number) { $0.step(message) }
    }

    /// Ids that are not known are no longer needed either.
    mutating func forget(_ arguments: StepArguments) throws(StepRefusal) {
        var ids: [Int] = []
        for value in try arguments.list("msgs") { ids.append(try StepArguments.number(value)) }
        for id in ids { messages[id] = nil }
    }

    mutating func stepByHand(_ arguments: StepArguments) throws(StepRefusal) {
        let receiver = try arguments.server("to")
        let message = try RaftMessage(try StepArguments(arguments.value("msg")), to: receiver)
        try change(receiver.number) { $0.step(message) }
    }

    mutating func compact(_ arguments: StepArguments) throws(StepRefusal) {
        let id = try runningNode(arguments)
        let index = try arguments.index("index")
        var taken: Snapshot?
        // The state machines live with the driver: a snapshot holds nothing but its place.
        let data = StepPayload.bytes(of: .string("state through \(index)"))
        try drive(id) { taken = $0.compact(through: index, data: data, keeping: 0) }
        if let taken { try nodes[id]?.storage.compact(to: taken) }
        reply.own["accepted"] = .bool(taken != nil)
        show(id)
    }

    mutating func changeMembers(_ arguments: StepArguments) throws(StepRefusal) {
        let id = try runningNode(arguments)
        var changes: [MembershipChange] = []
        for value in try arguments.list("changes") { changes.append(try MembershipChange(value)) }
        guard let change = changes.first else { throw .senseless }
        guard changes.count == 1 else {
            // RA10: one server at a time.
            reply.own["accepted"] = .bool(false)
            return
        }
        var result = Result<ProposalReceipt, MembershipRefusal>.failure(.notReady)
        try self.change(id) { result = $0.changeMembership(change) }
        note(result)
    }

    mutating func transfer(_ arguments: StepArguments) throws(StepRefusal) {
        let target = try arguments.serverOrNobody("to")
        var isAccepted = false
        try change(arguments) { raft in
            if case .success = raft.transferLeadership(to: target) { isAccepted = true }
        }
        reply.own["accepted"] = .bool(isAccepted)
    }

    /// A server that could only answer "failed" does not accept the read.
    mutating func read(_ arguments: StepArguments) throws(StepRefusal) {
        let id = try runningNode(arguments)
        let isAccepted = nodes[id]?.raft?.hasCommittedInTerm == true
        reply.own["accepted"] = .bool(isAccepted)
        guard isAccepted, let number = nodes[id].map({ $0.readsAsked + 1 }) else { return }
        nodes[id]?.readsAsked = number
        nodes[id]?.readContexts[number] = arguments.value("ctx") ?? .null
        try change(id) { $0.read(context: number) }
    }

    mutating func reportUnreachable(_ arguments: StepArguments) throws(StepRefusal) {
        let peer = try arguments.server("peer")
        try change(arguments) { $0.reportUnreachable(peer) }
    }

    private mutating func note<Refusal>(_ result: Result<ProposalReceipt, Refusal>) {
        guard case .success(let receipt) = result else {
            reply.own["accepted"] = .bool(false)
            return
        }
        reply.own["accepted"] = .bool(true)
        reply.own["index"] = .int(receipt.index.number)
        reply.own["term"] = .int(receipt.term.number)
    }
}

extension MembershipChange {
    /// `+v4`, `-v4`, `+l5`, and `-l5` for a learner.
    fileprivate init(_ value: JSON) throws(StepRefusal) {
        guard let text = value.string, let number = Int(text.dropFirst(2)), text.dropFirst(2).first?.isNumber == true
        else { throw .senseless }
        let id = try StepArguments.server(number)
        switch text.prefix(2) {
        case "+v": self = .addVoter(id)
        case "+l": self = .addLearner(id)
        case "-v", "-l": self = .remove(id)
        default: throw .senseless
        }
    }
}
