import ClusterModel

/// What an operator or the policy started, replicated so that a new leader goes on with it (SW3).
package struct OperationRecord: Sendable, Codable, Hashable {
    package enum Kind: String, Sendable, Codable, Hashable {
        case failover, switchover, bootstrap
        /// The first primary of a cluster that followed another one.
        case standbyPromote = "standby_promote"
    }

    /// Legal transitions: `OperationRecord.transitions`.
    package enum Phase: String, Sendable, Codable, Hashable, CaseIterable {
        /// failover: prove the old primary fenced, stop the receivers, compare positions.
        case pledge
        /// switchover: checkpoint on the primary.
        case checkpoint
        /// switchover: proxies hold new sessions.
        case hold
        /// switchover: fast stop of the primary.
        case stop
        /// switchover: the stop failed or came too late; the old primary starts again under its lease.
        case undo
        /// `AssignPrimary` is committed: lease, promotion, verification by the assigned node.
        case promote
        /// `RecordPromotion` is committed; others follow.
        case settle
    }

    package enum Result: String, Sendable, Codable, Hashable {
        case succeeded, failed, undone
        /// It ran when the state was saved that the cluster was restored from.
        case cancelled
    }

    package var id: String
    package var kind: Kind
    package var phase: Phase
    package var from: NodeName?
    /// The node asked for, later the node chosen.
    package var to: NodeName?
    package var toIsFixed: Bool
    package var fromToken: FencingToken
    /// Pledges answer this number; the next token.
    package var ballot: FencingToken
    /// Started by the policy, not by a person.
    package var isAutomatic: Bool
    package var requestID: RequestID?
    /// The key under which the request is known to `idempotency`.
    package var idempotencyKey: RequestID?
    package var allowDataLossBytes: UInt64?
    package var detail: String
    package var startedAt: Int64
    package var phases: [PhaseRecord]
    package var finishedAt: Int64?
    package var result: Result?
    package var message: String
    package var oldTimeline: TimelineID?
    package var newTimeline: TimelineID?
    package var lsn: LSN?

    package struct PhaseRecord: Sendable, Codable, Hashable {
        package var name: String
        package var detail: String
        package var at: Int64
        package init(name: String, detail: String, at: Int64) {
            self.name = name
            self.detail = detail
            self.at = at
        }
    }

    package init(
        id: String, kind: Kind, phase: Phase, from: NodeName?, to: NodeName?, fromToken: FencingToken,
        ballot: FencingToken, isAutomatic: Bool, requestID: RequestID? = nil, allowDataLossBytes: UInt64? = nil,
        startedAt: Int64 = 0
    ) {
        self.id = id
        self.kind = kind
        self.phase = phase
        self.from = from
        self.to = to
        toIsFixed = to != nil
        self.fromToken = fromToken
        self.ballot = ballot
        self.isAutomatic = isAutomatic
        self.requestID = requestID
        self.allowDataLossBytes = allowDataLossBytes
        detail = ""
        self.startedAt = startedAt
        phases = []
        message = ""
    }

    /// Every legal step of a phase; `AssignPrimary` leads to `promote`, `AbandonAssignment` back to `pledge`.
    package static let transitions: [Phase: [Phase]] = [
        .checkpoint: [.hold, .promote],
        .hold: [.stop, .undo],
        .stop: [.promote, .undo, .pledge],
        .undo: [.pledge],
        .pledge: [.promote],
        .promote: [.settle, .pledge],
        .settle: [],
    ]
}

/// An order to one node, with its fate; shown by `GET /raft/directives`.
package struct DirectiveRecord: Sendable, Codable, Hashable {
    package enum Kind: String, Sendable, Codable, Hashable {
        case fence = "FENCE", promote = "PROMOTE", demote = "DEMOTE", checkpoint = "CHECKPOINT", rewind = "REWIND",
            basebackup = "BASEBACKUP", restart = "RESTART"
    }
    package enum Status: String, Sendable, Codable, Hashable { case pending, running, completed, failed, cancelled }
    package var id: String
    package var type: Kind
    package var targetNode: NodeName
    package var params: [String: String]
    package var token: FencingToken
    package var status: Status
    package var createdAt: Int64
    package var completedAt: Int64?
    package var ttlMilliseconds: Int64
    package var term: UInt64
    package var error: String?
    /// RESTART: for how long the server did not answer.
    package var seconds: Double?
    package var requestID: RequestID?
    /// The key under which the request is known to `idempotency`.
    package var idempotencyKey: RequestID?
    package init(
        id: String, type: Kind, targetNode: NodeName, params: [String: String] = [:], token: FencingToken,
        status: Status = .pending, createdAt: Int64, ttlMilliseconds: Int64, term: UInt64, requestID: RequestID? = nil
    ) {
        self.id = id
        self.type = type
        self.targetNode = targetNode
        self.params = params
        self.token = token
        self.status = status
        self.createdAt = createdAt
        self.ttlMilliseconds = ttlMilliseconds
        self.term = term
        self.requestID = requestID
    }
    package var isOpen: Bool { status == .pending || status == .running }
}

/// One timeline of the cluster's history.
package struct TimelineRecord: Sendable, Codable, Hashable {
    package var token: FencingToken
    package var timeline: TimelineID
    package var parent: TimelineID
    package var node: NodeName
    /// Where it left its parent; nil until the promotion is recorded, for ever if it was abandoned.
    package var forkLSN: LSN?
    package var reason: String
    package var at: Int64
    package init(
        token: FencingToken, timeline: TimelineID, parent: TimelineID, node: NodeName, reason: String, at: Int64
    ) {
        self.token = token
        self.timeline = timeline
        self.parent = parent
        self.node = node
        self.reason = reason
        self.at = at
    }
}

/// PR4, SE11: what a failover may have lost, and from what that was concluded.
package struct LossCertificate: Sendable, Codable, Hashable {
    package struct Answer: Sendable, Codable, Hashable {
        package var node: NodeName
        package var position: WALPosition
        package init(node: NodeName, position: WALPosition) {
            self.node = node
            self.position = position
        }
    }
    package var operationID: String
    package var oldToken: FencingToken
    package var newToken: FencingToken
    package var mode: SynchronousMode
    package var rules: [AckRule]
    package var answers: [Answer]
    package var silent: [NodeName]
    package var lastKnownPrimaryLSN: LSN?
    package var chosen: WALPosition
    package var forkLSN: LSN?
    package var provenZero: Bool
    /// nil: unknown.
    package var bytesMax: UInt64?
    package init(
        operationID: String, oldToken: FencingToken, newToken: FencingToken, mode: SynchronousMode, rules: [AckRule],
        answers: [Answer], silent: [NodeName], lastKnownPrimaryLSN: LSN?, chosen: WALPosition, provenZero: Bool,
        bytesMax: UInt64?
    ) {
        self.operationID = operationID
        self.oldToken = oldToken
        self.newToken = newToken
        self.mode = mode
        self.rules = rules
        self.answers = answers
        self.silent = silent
        self.lastKnownPrimaryLSN = lastKnownPrimaryLSN
        self.chosen = chosen
        self.provenZero = provenZero
        self.bytesMax = bytesMax
    }
}
