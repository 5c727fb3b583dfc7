import RaftCore

/// Watches servers from outside and knows nothing of what drives them (thesis, figure 3.2: the five properties).
struct Checker {
    private(set) var violations: [String] = []
    private var leaders: [Term: ServerID] = [:]
    /// What some server counted as committed: never to change again.
    private var committed: [LogIndex: LogEntry] = [:]
    private var commitSeen: [ServerID: LogIndex] = [:]
    private var appliedSeen: [ServerID: Int] = [:]
    private var digests: [LogIndex: UInt64] = [:]
    private(set) var highestCommitted = LogIndex.zero
    private var openReads: [UInt64: LogIndex] = [:]
    private(set) var readsServed = 0

    mutating func fail(_ text: String) {
        if violations.count < 5 { violations.append(text) }
    }

    mutating func forget(_ id: ServerID) {
        commitSeen[id] = nil
        appliedSeen[id] = nil
    }

    /// To be called whenever a server may have changed.
    mutating func look(at server: TestServer) {
        let node = server.node
        if node.role == .leader { checkElectionSafety(node) }
        checkCommitted(node)
        checkApplied(server)
        if node.appliedIndex > node.commitIndex { fail("\(node.id) applied beyond its commit index") }
        if node.appliedIndex > node.durableIndex { fail("\(node.id) applied what is not durable") }
    }

    private mutating func checkElectionSafety(_ node: RaftNode) {
        if let other = leaders[node.term] {
            if other != node.id { fail("election safety: \(other) and \(node.id) led in term \(node.term)") }
            return
        }
        leaders[node.term] = node.id
        for (index, entry) in committed where entry.term < node.term && index >= node.firstIndex {
            if node.term(at: index) != entry.term {
                fail("leader completeness: \(node.id) leads term \(node.term) without committed \(index)")
            }
        }
    }

    private mutating func checkCommitted(_ node: RaftNode) {
        let seen = commitSeen[node.id] ?? .zero
        guard node.commitIndex != seen else { return }
        if node.commitIndex < seen { fail("\(node.id) took its commit index back to \(node.commitIndex)") }
        for entry in node.entries(from: seen.next, to: node.commitIndex) {
            if let known = committed[entry.index], known != entry {
                fail("\(node.id) committed another entry \(entry.index): \(entry.term), not \(known.term)")
            }
            committed[entry.index] = entry
        }
        commitSeen[node.id] = node.commitIndex
        highestCommitted = max(highestCommitted, node.commitIndex)
    }

    private mutating func checkApplied(_ server: TestServer) {
        let seen = appliedSeen[server.node.id] ?? 0
        for entry in server.applied[min(seen, server.applied.count)...] where committed[entry.index] != entry {
            fail("state machine safety: \(server.node.id) applied another entry \(entry.index)")
        }
        appliedSeen[server.node.id] = server.applied.count
        if let known = digests[server.appliedIndex], known != server.digest {
            fail("state machine safety: \(server.node.id) is in another state at \(server.appliedIndex)")
        }
        digests[server.appliedIndex] = server.digest
    }

    /// Log matching: where two logs agree in one entry, they agree in all before.
    mutating func compareLogs(_ nodes: [RaftNode]) {
        for a in nodes {
            for b in nodes where a.id < b.id {
                let first = max(a.firstIndex, b.firstIndex)
                let last = min(a.lastIndex, b.lastIndex)
                let ofA = a.entries(from: first, to: last)
                let ofB = b.entries(from: first, to: last)
                guard let same = ofA.indices.last(where: { ofA[$0].term == ofB[$0].term }) else { continue }
                if ofA[...same] != ofB[...same] { fail("log matching: \(a.id) and \(b.id) before \(ofA[same].index)") }
            }
        }
    }

    mutating func readAsked(_ context: UInt64) { openReads[context] = highestCommitted }

    mutating func readAnswered(_ result: ReadResult) {
        guard let atLeast = openReads.removeValue(forKey: result.context) else {
            return fail("read \(result.context) was answered twice")
        }
        guard let index = result.index else { return }
        readsServed += 1
        if index < atLeast { fail("stale read \(result.context): \(index), committed was \(atLeast)") }
    }
}
