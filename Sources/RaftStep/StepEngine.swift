import RaftCore

/// Hosts Raft nodes without network, clock or threads: whoever sends the commands is all of these
/// (reliability.md, section 4).
///
/// - Invariant: The same commands after `reset` with the same seed give the same replies.
/// - Invariant: When a reply is out, everything it promises is durable (RA13).
struct StepEngine {
    /// What exists here; `joint` does not, memberships change one server at a time (RA10).
    static let features = [
        "prevote", "checkquorum", "learner", "snapshot", "read", "transfer", "member", "crash", "pure", "unreachable",
    ]

    var nodes: [Int: HostedNode] = [:]
    var messages: [Int: RaftMessage] = [:]
    var lastMessageID = 0
    var generator = SeededGenerator(seed: 0)
    var directory: StepDirectory?
    /// The reply under construction.
    var reply = StepReply()

    /// One line in, one line out; a line that is no JSON is a command that makes no sense.
    mutating func reply(toLine line: String) -> String {
        (JSON(parsing: line).map { reply(to: $0) } ?? StepReply.refusal).line
    }

    /// An array of commands gives the array of their replies.
    mutating func reply(to value: JSON) -> JSON {
        guard let commands = value.array else { return replyToOne(value) }
        return .array(commands.map { replyToOne($0) })
    }

    private mutating func replyToOne(_ command: JSON) -> JSON {
        reply = StepReply()
        do throws(StepRefusal) {
            let arguments = try StepArguments(command)
            try perform(try arguments.command, arguments)
            return reply.json
        } catch {
            switch error {
            case .senseless: return StepReply.refusal
            case .storage(let text): return .object(["error": .string(text)])
            }
        }
    }

    private mutating func perform(_ command: String, _ arguments: StepArguments) throws(StepRefusal) {
        switch command {
        case "hello": hello()
        case "reset": try reset(arguments)
        case "node": try createNode(arguments)
        case "tick": try tick(arguments)
        case "timeout": try setTimeout(arguments)
        case "campaign": try change(arguments) { $0.campaign() }
        case "propose": try propose(arguments)
        case "deliver": try deliver(arguments)
        case "forget": try forget(arguments)
        case "step": try stepByHand(arguments)
        case "crash": try crash(arguments)
        case "restart": try restart(arguments)
        case "compact": try compact(arguments)
        case "member": try changeMembers(arguments)
        case "transfer": try transfer(arguments)
        case "read": try read(arguments)
        case "unreachable": try reportUnreachable(arguments)
        case "state": show(try node(arguments).id, always: true)
        case "log": try showLog(arguments)
        case "committed": try showCommitted(arguments)
        case "vote_result": try showVoteResult(arguments)
        default: throw .senseless
        }
    }
}

// MARK: What every command needs

extension StepEngine {
    /// A node that exists, up or down.
    func node(_ arguments: StepArguments) throws(StepRefusal) -> HostedNode {
        guard let node = nodes[try arguments.number("node")] else { throw .senseless }
        return node
    }

    /// The id of a node that is up. Not the node: a second copy of it would make the next append copy the log.
    func runningNode(_ arguments: StepArguments) throws(StepRefusal) -> Int {
        let id = try arguments.number("node")
        guard nodes[id]?.raft != nil else { throw .senseless }
        return id
    }

    /// Changes a running node and carries out everything that follows.
    mutating func change(_ arguments: StepArguments, _ body: (inout RaftNode) -> Void) throws(StepRefusal) {
        try change(try runningNode(arguments), body)
    }

    mutating func change(_ id: Int, _ body: (inout RaftNode) -> Void) throws(StepRefusal) {
        guard nodes[id]?.raft != nil else { throw .senseless }
        try drive(id, body)
        show(id)
    }

    /// One input, then `ready()` until it is empty; what is to be written is durable before what is to be sent goes out.
    mutating func drive(_ id: Int, _ body: (inout RaftNode) -> Void) throws(StepRefusal) {
        guard var hosted = nodes.removeValue(forKey: id), var raft = hosted.raft else { return }
        // Taken out, so that there is one copy and the log is never duplicated.
        hosted.raft = nil
        defer {
            hosted.raft = raft
            nodes[id] = hosted
        }
        body(&raft)
        while true {
            let ready = raft.ready()
            if ready.isEmpty { return }
            if let batch = ready.persist { try hosted.storage.persist(batch) }
            for message in ready.messages { post(message) }
            if let snapshot = ready.installedSnapshot { reply.installed(snapshot, on: id) }
            for entry in ready.committed { reply.applied(entry, on: id) }
            for read in ready.reads {
                let context = hosted.readContexts.removeValue(forKey: read.context) ?? .null
                reply.finished(context, at: read.index, on: id)
            }
            if let batch = ready.persist { raft.persisted(through: batch.number) }
        }
    }

    private mutating func post(_ message: RaftMessage) {
        lastMessageID += 1
        messages[lastMessageID] = message
        var fields = message.json
        fields["id"] = .int(lastMessageID)
        reply.messages.append(.object(fields))
    }

    /// Adds the state of a node to the reply, if it changed since it was last shown.
    mutating func show(_ id: Int, always: Bool = false) {
        guard let view = nodes[id]?.view, always || view != nodes[id]?.lastView else { return }
        nodes[id]?.lastView = view
        reply.state.append(view.json)
    }
}
