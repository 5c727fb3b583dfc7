import ClusterModel
import FailoverCore
import FoundationEssentials
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
        digestState(at: number)
    }

    private mutating func digestState(at number: UInt64) {
        // Limit: encoding takes longer than a tick may be late, so the shell does it.
        effects.append(.digest(state, index: number))
    }

    /// `agree disagree unknown`: digests of one index, of members of one release.
    var digestAgreement: String {
        let others = reports.values.filter { $0.report.node != identity.name && $0.report.version == identity.version }
        guard let own = stateMark else { return "unknown" }
        let marks = others.compactMap(\.report.stateMark).filter { $0.index == own.index }
        if marks.contains(where: { $0.sha256 != own.sha256 }) { return "disagree" }
        return marks.count == state.memberNodes.count - 1 ? "agree" : "unknown"
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

/// The state of an archive, and what stood around it at that index.
package struct ArchivedSnapshot: Sendable {
    package struct Member: Sendable, Hashable {
        package var name: NodeName
        /// `host:port` of Raft.
        package var address: String
        package var suffrage: PeerView.Suffrage
        package init(name: NodeName, address: String, suffrage: PeerView.Suffrage) {
            self.name = name
            self.address = address
            self.suffrage = suffrage
        }
    }
    package var id: String
    package var state: ClusterState
    package var index: UInt64
    /// Of the entry at `index`.
    package var term: UInt64
    /// Of the configuration entry in force.
    package var configIndex: UInt64
    /// In order of their names.
    package var members: [Member]
}

/// Archives (backup-restore.md, 3): a mark in the log, the digest of every node at its index, and the state of one.
extension BastionNode {
    /// Limit: marks that are remembered, and archives that are waited for at the same time.
    private static let keptMarks = 16

    mutating func digested(_ mark: StateMark) {
        if stateMark.map({ mark.index >= $0.index }) ?? true { stateMark = mark }
        stateMarks.append(mark)
        if stateMarks.count > BastionNode.keptMarks { stateMarks.removeFirst() }
    }

    /// The digest at the mark of this index; nil: not, or not yet, known.
    package func mark(at index: UInt64) -> StateMark? { stateMarks.last { $0.index == index } }

    mutating func awaitArchive(_ id: String) {
        awaitedArchives.append(id)
        if awaitedArchives.count > BastionNode.keptMarks { awaitedArchives.removeFirst() }
    }

    mutating func passMark(_ id: String, at index: LogIndex) {
        digestState(at: index.rawValue)
        guard let position = awaitedArchives.firstIndex(of: id) else { return }
        awaitedArchives.remove(at: position)
        handOutState(id)
    }

    mutating func handOutState(_ id: String) {
        let (placed, membership) = appliedMembership
        let members = membership.members.compactMap { server -> ArchivedSnapshot.Member? in
            guard let node = state.node(MemberID(rawValue: server.rawValue)) else { return nil }
            return ArchivedSnapshot.Member(
                name: node.name, address: address(node.host, node.raftPort),
                suffrage: membership.voters.contains(server) ? .voter : .learner)
        }
        effects.append(
            .archive(
                ArchivedSnapshot(
                    id: id, state: state, index: raft.appliedIndex.rawValue, term: appliedTerm.rawValue,
                    configIndex: placed.rawValue, members: members.sorted { $0.name < $1.name })))
    }
}

extension StateCodec {
    /// SHA-256 of the state in canonical JSON: that of member `state/fsm.json` of an archive of it.
    package static func digest(of state: ClusterState) throws -> String { SHA256.hex(try canonical(state)) }

    package static func canonical(_ state: ClusterState) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(ArchivedState(state)))
    }
}
