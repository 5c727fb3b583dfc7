import ClusterModel
import FailoverCore
import RaftCore

/// CS6: all members compute a digest of the state at the same indexes, and the leader compares them.
extension BastionNode {
    /// Limit: every so many entries; more often while the log is young and the state small.
    private static let interval: UInt64 = 1024
    private static let youngInterval: UInt64 = 64

    mutating func markState(at index: LogIndex) {
        let number = index.rawValue
        let isMark = number % BastionNode.interval == 0 || (number < BastionNode.interval && number % BastionNode.youngInterval == 0)
        guard isMark else { return }
        // Limit: encoding takes longer than a tick may be late, so the shell does it.
        effects.append(.digest(state, index: number))
    }

    /// `agree disagree unknown`: digests of one index, of members of one release.
    var digestAgreement: String {
        let others = reports.values.filter { $0.report.node != identity.name && $0.report.version == identity.version }
        guard let own = stateMark else { return "unknown" }
        let marks = others.compactMap(\.report.stateMark).filter { $0.index == own.index }
        if marks.contains(where: { $0.sha256 != own.sha256 }) { return "disagree" }
        return marks.count == state.nodes.count - 1 ? "agree" : "unknown"
    }

    mutating func noteDisagreement() {
        let disagrees = digestAgreement == "disagree"
        guard disagrees != knownDisagreement else { return }
        knownDisagreement = disagrees
        measure(.digestMismatch(disagrees))
        guard disagrees, let own = stateMark else { return }
        let names = reports.values.filter { $0.report.stateMark?.index == own.index && $0.report.stateMark?.sha256 != own.sha256 }
            .map(\.report.node.rawValue).sorted().joined(separator: ", ")
        log(
            .error, "state_digest_mismatch", "the replicated state of \(names) differs from the leader's at index \(own.index)",
            ["rule": "CS6", "index": "\(own.index)"])
        propose(
            .appendDecision(
                DecisionRecord(
                    at: wallTime, kind: "state.digest_mismatch", rules: ["CS6"],
                    text: "the state of \(names) differs from the leader's at index \(own.index)")))
    }
}

extension StateCodec {
    /// SHA-256 of the state's durable form.
    package static func digest(of state: ClusterState) throws -> String { SHA256.hex(try encode(state)) }
}
