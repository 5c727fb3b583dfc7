import RaftCore

/// One node of the step binary: the Raft core while it is up, and what outlives a crash.
struct HostedNode {
    let id: Int
    let settings: RaftSettings
    let initialMembership: Membership
    /// The commit index that the node was created with.
    let knownCommit: LogIndex
    var storage: StepStorage
    /// nil while the node is down.
    var raft: RaftNode?
    /// The callers' own names of reads under way.
    var readContexts: [UInt64: JSON] = [:]
    var readsAsked: UInt64 = 0
    /// What the last reply that showed this node said.
    var lastView: NodeView?

    /// The core as it starts from what is durable.
    func started(seed: UInt64) -> RaftNode {
        RaftNode(
            id: ServerID(id), settings: settings, durable: storage.durable, initialMembership: initialMembership,
            seed: seed, knownCommit: knownCommit)
    }

    var view: NodeView { NodeView(id: id, isUp: raft != nil, raft ?? started(seed: 0)) }

    /// What a look at the log is answered from; of a node that is down, the durable log.
    var visibleLog: RaftNode { raft ?? started(seed: 0) }
}

/// What `state` shows of a node. Of one that is down: what it will start from.
struct NodeView: Hashable {
    let id: Int
    let isUp: Bool
    let role: RaftRole
    let term: Term
    let vote: ServerID?
    let leader: ServerID?
    let commit: LogIndex
    let applied: LogIndex
    let first: LogIndex
    let last: LogIndex
    let lastTerm: Term
    let membership: Membership

    init(id: Int, isUp: Bool, _ raft: RaftNode) {
        self.id = id
        self.isUp = isUp
        role = raft.role
        term = raft.term
        vote = raft.vote
        leader = raft.leader
        commit = raft.commitIndex
        applied = raft.appliedIndex
        first = raft.firstIndex
        last = raft.lastIndex
        lastTerm = raft.lastTerm
        membership = raft.membership
    }

    var json: JSON {
        var fields: [String: JSON] = [
            "id": .int(id), "up": .bool(isUp), "role": .string(isUp ? role.rawValue : "down"),
            "term": .int(term.number), "vote": .int(vote?.number ?? 0), "leader": .int(leader?.number ?? 0),
            "commit": .int(commit.number), "applied": .int(applied.number), "first": .int(first.number),
            "last": .int(last.number), "last_term": .int(lastTerm.number),
        ]
        fields.add(membership)
        return .object(fields)
    }
}
