import ClusterModel

/// What a node tells the leader of itself, every 500 ms and on change; never in the log.
package struct NodeReport: Sendable, Codable, Hashable {
    package var node: NodeName
    package var memberID: MemberID
    package var version: String
    package var guardStatus: GuardStatus?
    package var facts: PostgresFacts?
    /// The files of the server that is stopped now; nil while it runs or before it was looked at.
    package var stopped: StoppedServer?
    /// `starting running streaming catching_up cloning rewinding stopped fenced failed`
    package var agentState: String
    /// The ballot below which this node follows nobody (SE3).
    package var pledgedBallot: FencingToken
    package var promoted: PromotionReport?
    /// SE10: why the promotion of this token failed here.
    package var failedToken: FencingToken?
    package var failure: String?
    /// SE9: the generation whose settings every process has, and whether k members reached F.
    package var settledGeneration: UInt64?
    /// Directive id -> nil when done, else the error.
    package var directiveResults: [String: String?]
    /// RESTART directive id -> seconds in which the server did not answer.
    package var outages: [String: Double]?
    /// The directive that is being carried out.
    package var runningDirective: String?
    package var job: JobProgress
    package var isStopping = false
    /// `http://HOST:PORT` where the node's API is reached; nil from a member that does not say.
    package var apiURL: String?
    /// The version of the managed settings that the server has taken.
    package var parametersVersion: UInt64?
    /// CS6: the digest of the replicated state at the last mark.
    package var stateMark: StateMark?
    /// nil: no virtual address is configured there.
    package var address: VirtualAddressView?
    /// The highest end of WAL that the sender of this node's stream spoke of.
    package var upstreamEnd: LSN?

    package init(node: NodeName, memberID: MemberID, version: String) {
        self.node = node
        self.memberID = memberID
        self.version = version
        agentState = "starting"
        pledgedBallot = .never
        directiveResults = [:]
        job = JobProgress()
    }

    /// DE1: the guard holds a lease, and the server ended, by a crash or a stop that no operation asked for.
    package var hasStoppedUnderLease: Bool {
        guard let g = guardStatus else { return false }
        return g.state == .armed && g.postmasterPID == nil && g.allProcessesGone
    }
    /// Streams from an upstream now.
    package var isStreaming: Bool {
        facts?.server?.isInRecovery == true && facts?.server?.receiver?.status == "streaming"
    }
    /// The position of its data as far as it is known without asking again.
    package var position: WALPosition? {
        if let server = facts?.server {
            let lsn =
                server.isInRecovery
                ? max(server.receivedLSN ?? .zero, server.replayedLSN ?? .zero) : server.flushLSN ?? .zero
            return WALPosition(timeline: server.timeline, lsn: lsn)
        }
        return stopped?.end
    }
}

package struct PromotionReport: Sendable, Codable, Hashable {
    package var token: FencingToken
    package var timeline: TimelineID
    package var forkLSN: LSN
    package init(token: FencingToken, timeline: TimelineID, forkLSN: LSN) {
        self.token = token
        self.timeline = timeline
        self.forkLSN = forkLSN
    }
}

/// A report and when it arrived here; `age` of a report that was passed on is added to the arrival.
package struct TimedReport: Sendable, Hashable {
    package var report: NodeReport
    package var at: ClockStamp
    package init(report: NodeReport, at: ClockStamp) {
        self.report = report
        self.at = at
    }
}

/// What the leader tells everybody: all reports with their age, and what it wants each node to do now (CS8: a committed
/// directive is permission; a node acts when the leader of its current term tells it to).
package struct ClusterReport: Sendable, Codable, Hashable {
    package struct Item: Sendable, Codable, Hashable {
        package var report: NodeReport
        package var ageMilliseconds: Int64
        package init(report: NodeReport, ageMilliseconds: Int64) {
            self.report = report
            self.ageMilliseconds = ageMilliseconds
        }
    }
    package var term: UInt64
    package var sequence: UInt64
    package var items: [Item]
    package var orders: [NodeName: NodeOrder]
    package var peers: [PeerView]
    package var votersReachable: Int
    package var splitBrain: Bool
    package init(
        term: UInt64, sequence: UInt64, items: [Item], orders: [NodeName: NodeOrder], peers: [PeerView],
        votersReachable: Int, splitBrain: Bool
    ) {
        self.term = term
        self.sequence = sequence
        self.items = items
        self.orders = orders
        self.peers = peers
        self.votersReachable = votersReachable
        self.splitBrain = splitBrain
    }
}

/// An order of the leader to one node that needs no entry in the log.
package enum NodeOrder: Sendable, Codable, Hashable {
    /// 5.2: the crashed server of this token is to be started again in place.
    case restartInPlace(FencingToken)
    /// DE8, DE4: stop being writable under this token.
    case fence(FencingToken, reason: String)
    /// LE12: lower the lease, then confirm.
    case lower(FencingToken, GuardLowering)
}

/// SE3: what a data node answers after it stopped following anybody.
package struct Pledge: Sendable, Codable, Hashable {
    package var ballot: FencingToken
    package var node: NodeName
    package var memberID: MemberID
    package var dataID: DataID?
    package var position: WALPosition
    package var replayed: LSN
    package var history: [TimelineSwitch]
    /// The server is stopped, its guard confirms that no process is left, and this is the end of its WAL.
    package var isStopped: Bool
    package var storage: StorageHealth
    package var isReplayPaused: Bool
    package init(
        ballot: FencingToken, node: NodeName, memberID: MemberID, dataID: DataID?, position: WALPosition, replayed: LSN,
        history: [TimelineSwitch], isStopped: Bool, storage: StorageHealth, isReplayPaused: Bool
    ) {
        self.ballot = ballot
        self.node = node
        self.memberID = memberID
        self.dataID = dataID
        self.position = position
        self.replayed = replayed
        self.history = history
        self.isStopped = isStopped
        self.storage = storage
        self.isReplayPaused = isReplayPaused
    }
}
