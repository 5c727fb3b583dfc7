import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// All checkers of one run; the first violation ends it.
package final class SimChecks {
    package struct Violation: Sendable, CustomStringConvertible {
        package var rule: String
        package var what: String
        package var at: Int64
        package var description: String { "\(rule) at \(at / 1_000_000) ms: \(what)" }
    }

    package private(set) var violation: Violation?
    package private(set) var raft = RaftSafetyChecker()
    package let writers: WriterChecker
    package let commits = CommitChecker()
    package let timelines = TimelineChecker()
    package let proxies = ProxyChecker()
    /// The state of the highest index that anybody applied.
    package private(set) var newestState = ClusterState()
    private var newestIndex = LogIndex.zero

    /// The log and what only it knew were lost; a new one goes on from an archive.
    func restored(to state: ClusterState) {
        raft = RaftSafetyChecker()
        newestState = state
        newestIndex = .zero
        timelines.restored(to: state)
    }

    init(ignoresWriters: Bool) { writers = WriterChecker(isOff: ignoresWriters) }

    func report(_ rule: String, _ what: String, at: Int64) {
        if violation == nil { violation = Violation(rule: rule, what: what, at: at) }
    }

    /// After every step of a node.
    func observe(_ machine: SimMachine, _ node: BastionNode, _ sim: Simulation) {
        let advanced = raft.observe(machine.index, machine.memberID, node.raft, sim)
        guard advanced else { return }
        if node.raft.appliedIndex > newestIndex {
            newestIndex = node.raft.appliedIndex
            newestState = node.state
            timelines.applied(newestState, sim)
            sim.restore?.observed(newestState)
        }
    }
}

/// CH6, PR1: at every virtual instant at most one server can commit.
package final class WriterChecker {
    private var writer: Int?
    package private(set) var count = 0
    private let isOff: Bool

    init(isOff: Bool) { self.isOff = isOff }

    func began(_ machine: SimMachine, _ server: SimServer, _ sim: Simulation) {
        count += 1
        guard !isOff else { return }
        for other in sim.machines where other.index != machine.index {
            guard let rival = other.postgres.server, rival.phase == .primary, rival.process.isAlive, !rival.isRogue else { continue }
            // A frozen machine's server executes nothing; its guard kills before it can again.
            if other.isSuspended { continue }
            sim.violate(
                "CH6",
                "\(machine.name) became writable under token \(server.token?.description ?? "none") while \(other.name) is writable under \(rival.token?.description ?? "none")"
            )
        }
        writer = machine.index
    }

    func ended(_ machine: Int) { if writer == machine { writer = nil } }

    /// After a suspended machine woke up and its guard ran.
    func woke(_ sim: Simulation) {
        let writable = sim.machines.filter { $0.postgres.server?.acceptsWrites == true }
        if writable.count > 1, !isOff {
            sim.violate("CH6", "writable at once: \(writable.map(\.name.rawValue).joined(separator: ", "))")
        }
    }
}

/// CH7, PR2: no acknowledged commit is missing from the surviving history in mode `quorum` or `strict` undegraded.
package final class CommitChecker {
    /// Rows acknowledged under protection, with when and where.
    private var protected: [UInt64: (at: Int64, on: NodeName)] = [:]
    package private(set) var acknowledgedCount = 0
    package var protectedCount: Int { protected.count }

    func acknowledged(_ row: UInt64, on machine: SimMachine, _ sim: Simulation) {
        acknowledgedCount += 1
        let synchronous = sim.checks.newestState.synchronous
        guard synchronous.mode != .off, !synchronous.degraded, let server = machine.postgres.server else { return }
        // A server that should be gone (AS1 broken) and never waited for standbys promised nothing.
        guard server.token == sim.checks.newestState.primary?.token || server.names.required > 0 else { return }
        protected[row] = (sim.now, machine.name)
    }

    /// An operator accepted this node's data as what counts: what it lacks is given up.
    func accepted(_ files: SimFiles) {
        let rows = Set(files.records.compactMap(\.row))
        protected = protected.filter { rows.contains($0.key) }
    }

    /// A server became writable: its WAL is the history that survives.
    func judge(_ files: SimFiles, on name: NodeName, _ sim: Simulation) {
        guard !protected.isEmpty else { return }
        let rows = Set(files.records.compactMap(\.row))
        guard let lost = protected.keys.filter({ !rows.contains($0) }).min(), let row = protected[lost] else { return }
        sim.violate("CH7", "row \(lost), acknowledged by \(row.on) at \(row.at / 1_000_000) ms, is missing on \(name)")
    }
}

/// CH10: tokens and timelines only grow; one promotion per token; no timeline on two branches.
package final class TimelineChecker {
    private var lastToken = FencingToken.never
    private var lastTimeline = TimelineID(0)
    private var promotedTokens: Set<FencingToken> = []
    private var usedTimelines: Set<UInt32> = []
    package private(set) var promotions = 0

    func applied(_ state: ClusterState, _ sim: Simulation) {
        if state.lastToken < lastToken { sim.violate("CH10", "the token fell from \(lastToken) to \(state.lastToken)") }
        if state.lastTimeline < lastTimeline { sim.violate("CH10", "the timeline fell from \(lastTimeline) to \(state.lastTimeline)") }
        lastToken = state.lastToken
        lastTimeline = state.lastTimeline
    }

    /// Numbers of timelines begin again where the archive knows of them; tokens must be higher than any ever used.
    func restored(to state: ClusterState) { lastTimeline = state.lastTimeline }

    func promoted(_ machine: SimMachine, to timeline: UInt32, token: FencingToken?, _ sim: Simulation) {
        promotions += 1
        guard let token else { return sim.violate("CH10", "\(machine.name) was promoted without a token") }
        if !promotedTokens.insert(token).inserted { sim.violate("CH10", "token \(token) was promoted twice") }
        if !usedTimelines.insert(timeline).inserted { sim.violate("CH10", "timeline \(timeline) was begun twice") }
    }
}

/// CH12: a proxy never connects a session to a server of an older epoch than it has applied.
package final class ProxyChecker {
    func connected(_ machine: SimMachine, to server: SimServer, epoch: FencingToken, _ sim: Simulation) {
        if machine.isGhost { sim.violate("B8", "\(machine.name) routes by the state of the lost cluster") }
        guard let applied = machine.daemon.node?.state.primary, applied.phase == .serving else { return }
        if let token = server.token, token < applied.token {
            sim.violate("CH12", "the proxy of \(machine.name) connected to token \(token), it has applied \(applied.token)")
        }
    }
}
