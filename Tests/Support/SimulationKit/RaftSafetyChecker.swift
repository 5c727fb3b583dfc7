import ClusterModel
import NodeCore
import RaftCore

/// CH1 to CH5: the five properties of Raft's figure 3.2, over all nodes, after every step.
package final class RaftSafetyChecker {
    private struct Committed: Hashable {
        var term: Term
        var payload: [UInt8]
    }
    private var leaders: [Term: MemberID] = [:]
    /// What was applied anywhere at index i + 1; nil for what only a snapshot covered.
    private var committed: [Committed?] = []
    private var applied: [Int: LogIndex] = [:]
    private var ledTerm: [Int: Term] = [:]
    private var ledLast: [Int: LogIndex] = [:]

    func started(_ machine: Int, _ node: BastionNode?) {
        applied[machine] = node?.raft.appliedIndex ?? .zero
        ledTerm[machine] = nil
    }

    /// - Returns: whether the node applied anything.
    func observe(_ machine: Int, _ member: MemberID, _ raft: RaftNode, _ sim: Simulation) -> Bool {
        if raft.role == .leader { observeLeader(machine, member, raft, sim) } else { ledTerm[machine] = nil }
        let before = applied[machine] ?? .zero
        guard raft.appliedIndex > before else { return false }
        applied[machine] = raft.appliedIndex
        for entry in raft.entries(from: max(before.next, raft.firstIndex), to: raft.appliedIndex) { note(entry, machine, sim) }
        return true
    }

    private func observeLeader(_ machine: Int, _ member: MemberID, _ raft: RaftNode, _ sim: Simulation) {
        if ledTerm[machine] == raft.term {
            // CH2: leader append-only.
            if let last = ledLast[machine], raft.lastIndex < last { sim.violate("CH2", "leader \(member.short) shortened its log") }
        } else {
            ledTerm[machine] = raft.term
            if let other = leaders[raft.term], other != member {
                sim.violate("CH1", "\(member.short) and \(other.short) both lead in term \(raft.term)")
            }
            leaders[raft.term] = member
            judgeCompleteness(raft, sim)
        }
        ledLast[machine] = raft.lastIndex
    }

    /// CH4: a leader's log has every committed entry.
    private func judgeCompleteness(_ raft: RaftNode, _ sim: Simulation) {
        for (i, entry) in committed.enumerated() {
            let index = LogIndex(UInt64(i + 1))
            guard let entry, index >= raft.firstIndex else { continue }
            if raft.term(at: index) != entry.term {
                return sim.violate("CH4", "the leader of term \(raft.term) lacks the committed entry \(index)")
            }
        }
    }

    /// CH5: nobody applies another entry at the same index.
    private func note(_ entry: LogEntry, _ machine: Int, _ sim: Simulation) {
        let i = Int(entry.index.rawValue) - 1
        while committed.count <= i { committed.append(nil) }
        let value = Committed(term: entry.term, payload: entry.payload)
        if let known = committed[i], known != value {
            sim.violate("CH5", "node\(machine + 1) applied another entry at index \(entry.index) (term \(entry.term), known \(known.term))")
        }
        committed[i] = value
    }

    /// CH3, and equal states at equal indexes (CS6); looked at now and then.
    package func compareAll(_ sim: Simulation) {
        let nodes = sim.machines.compactMap { machine in machine.daemon.node.map { (machine, $0) } }
        for (i, a) in nodes.enumerated() {
            for b in nodes.dropFirst(i + 1) {
                if a.1.raft.appliedIndex == b.1.raft.appliedIndex, a.1.state != b.1.state {
                    sim.violate("CS6", "\(a.0.name) and \(b.0.name) differ at index \(a.1.raft.appliedIndex)")
                }
                matchLogs(a.1.raft, b.1.raft, sim)
            }
        }
    }

    private func matchLogs(_ a: RaftNode, _ b: RaftNode, _ sim: Simulation) {
        let first = max(a.firstIndex, b.firstIndex)
        let last = min(a.lastIndex, b.lastIndex)
        guard first <= last else { return }
        let (x, y) = (a.entries(from: first, to: last), b.entries(from: first, to: last))
        var mustMatch = false
        for (p, q) in zip(x.reversed(), y.reversed()) {
            if p.term == q.term { mustMatch = true }
            if mustMatch, p != q { return sim.violate("CH3", "two logs differ at \(p.index) before an equal entry") }
        }
    }
}
