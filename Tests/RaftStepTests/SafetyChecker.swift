@testable import RaftStep

/// The safety properties of Raft as far as replies show them; it knows nothing of the workload.
struct SafetyChecker {
    struct Place: Hashable {
        var index: Int
        var term: Int
    }

    var problems: [String] = []
    /// Election safety: one leader per term.
    var leaders: [Int: Int] = [:]
    /// State-machine safety: what anybody applied at an index.
    private var entries: [Int: JSON] = [:]
    /// Log matching: what follows from (index, term), seen in messages.
    private var contents: [Place: JSON] = [:]
    private var previous: [Place: Place] = [:]
    private var terms: [Int: Int] = [:]
    private var votes: [Int: [Int: Int]] = [:]
    private var commits: [Int: Int] = [:]
    var applied: [Int: Int] = [:]
    var highestCommit = 0
    var appliedCount = 0
    var readsServed = 0
    /// The highest commit index anybody had when a read was asked for.
    var readFloors: [Int: Int] = [:]

    mutating func note(_ reply: JSON) {
        for entry in reply["applied"]?.array ?? [] { noteApplied(entry) }
        for message in reply["msgs"]?.array ?? [] { noteMessage(message) }
        for state in reply["state"]?.array ?? [] { noteState(state) }
        for read in reply["reads"]?.array ?? [] { noteRead(read) }
    }

    private mutating func noteApplied(_ entry: JSON) {
        guard let node = entry["node"]?.int, let index = entry["index"]?.int else { return }
        appliedCount += 1
        let old = applied[node] ?? 0
        applied[node] = index
        if entry["snapshot"] == .bool(true) {
            if index <= old { problems.append("node \(node) went back to the snapshot \(index) from \(old)") }
            return
        }
        if index != old + 1 { problems.append("node \(node) applied \(index) after \(old)") }
        var content = entry.object ?? [:]
        content["node"] = nil
        if let known = entries[index], known != .object(content) {
            problems.append("two entries at \(index): \(known.line) and \(entry.line)")
        }
        entries[index] = .object(content)
    }

    private mutating func noteMessage(_ message: JSON) {
        guard message["type"] == "append", let index = message["prev_index"]?.int,
            let term = message["prev_term"]?.int
        else { return }
        noteLeader(message["from"]?.int ?? 0, term: message["term"]?.int ?? 0)
        var before = Place(index: index, term: term)
        for entry in message["entries"]?.array ?? [] {
            let place = Place(index: before.index + 1, term: entry["term"]?.int ?? 0)
            if let known = contents[place], known != entry { problems.append("two contents of \(place)") }
            if let known = previous[place], known != before { problems.append("two histories of \(place)") }
            contents[place] = entry
            previous[place] = before
            before = place
        }
    }

    private mutating func noteLeader(_ id: Int, term: Int) {
        if let other = leaders[term], other != id { problems.append("\(other) and \(id) lead in term \(term)") }
        leaders[term] = id
    }

    private mutating func noteState(_ state: JSON) {
        guard let id = state["id"]?.int, let term = state["term"]?.int, let commit = state["commit"]?.int else {
            return
        }
        if term < terms[id] ?? 0 { problems.append("term of \(id) fell to \(term)") }
        terms[id] = term
        if let vote = state["vote"]?.int, vote != 0 {
            if let other = votes[id]?[term], other != vote { problems.append("\(id) voted twice in term \(term)") }
            votes[id, default: [:]][term] = vote
        }
        if state["up"] == .bool(true) {
            if commit < commits[id] ?? 0 { problems.append("commit of \(id) fell to \(commit)") }
            commits[id] = commit
            highestCommit = max(highestCommit, commit)
        } else {
            // The state machine starts again from the snapshot.
            commits[id] = nil
            applied[id] = state["applied"]?.int ?? 0
        }
        if let last = state["last"]?.int, commit > last { problems.append("\(id) committed \(commit) of \(last)") }
        if state["role"] == "leader" {
            noteLeader(id, term: term)
            noteCompleteness(state, id)
        }
    }

    /// Leader completeness: what was committed when a leader appears is in its log.
    private mutating func noteCompleteness(_ state: JSON, _ id: Int) {
        guard let last = state["last"]?.int, let term = state["term"]?.int, term == leaders.keys.max() else { return }
        if last < highestCommit {
            problems.append("leader \(id) of term \(term) ends at \(last), committed \(highestCommit)")
        }
    }

    private mutating func noteRead(_ read: JSON) {
        guard let number = read["ctx"]?.int, let index = read["index"]?.int else { return }
        readsServed += 1
        if index < readFloors[number] ?? 0 { problems.append("read \(number) at \(index) is stale") }
    }
}
