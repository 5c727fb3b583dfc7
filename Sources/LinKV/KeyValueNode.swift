import ClusterModel
import FoundationEssentials
import RaftCore
import RaftIO

/// One node of the linearizable key-value store: the shipped Raft core and store behind Maelstrom's `lin-kv` workload.
///
/// Hand in messages with `receive` and time with `tick`; then `flush` makes durable what must be and returns the
/// messages to be sent, in order.
package final class KeyValueNode {
    package let name: String
    package private(set) var node: RaftNode
    private let store: RaftLogStore
    private let names: [ServerID: String]
    private let ids: [String: ServerID]
    private var state = KeyValueState()
    private var pending = PendingRequests()
    private var unsaved: [PersistBatch] = []
    private var outbox: [MaelstromMessage] = []
    private var ticks: UInt64 = 0

    /// - Parameter members: Every node of the cluster, in the same order on each of them.
    package init(
        name: String, members: [String], directory: String, seed: UInt64, settings: RaftSettings = RaftSettings()
    ) throws(BastionError) {
        self.name = name
        var ids: [String: ServerID] = [:]
        for (position, member) in members.enumerated() { ids[member] = ServerID(UInt128(position + 1)) }
        guard let id = ids[name] else {
            throw BastionError(.invalidRequest, "node \"\(name)\" is not among the members")
        }
        self.ids = ids
        names = Dictionary(uniqueKeysWithValues: ids.map { ($0.value, $0.key) })
        store = try RaftLogStore.open(directory: directory)
        if store.identity.clusterID == nil { try store.adopt(clusterID: ClusterID(rawValue: 1), epoch: 0) }
        let durable = try store.load()
        if let snapshot = durable.snapshot { state = StoredJSON.decode(KeyValueState.self, snapshot.data) }
        node = RaftNode(
            id: id, settings: settings, durable: durable, initialMembership: Membership(voters: Array(ids.values)),
            seed: seed)
    }

    package func close() throws(BastionError) { try store.close() }

    // MARK: Input

    package func tick(_ count: Int = 1) {
        node.tick(count)
        ticks += UInt64(count)
        for path in pending.expired(at: ticks) { reply(path, MaelstromError.timeout.body("no answer in time")) }
    }

    package func receive(_ message: MaelstromMessage) {
        guard message.destination == name else { return }
        switch message.type {
        case "raft": receiveRaft(message)
        case "forward": receiveForwarded(message)
        case "forwarded": receiveAnswer(message)
        case "read", "write", "cas":
            guard let id = message.id else { return }
            let path = ReplyPath.client(message.source, id)
            request(message.body, client: message.source, path, mayForward: true)
        case "error": break
        default:
            guard let id = message.id else { return }
            reply(.client(message.source, id), MaelstromError.notSupported.body("unknown type \"\(message.type)\""))
        }
    }

    private func receiveRaft(_ message: MaelstromMessage) {
        guard let text = message.body["data"]?.text, let bytes = Data(base64Encoded: text) else { return }
        do throws(RaftCodecError) {
            node.step(try RaftMessage(decoding: Array(bytes)))
        } catch {
            // A damaged message is a lost one.
        }
    }

    // MARK: Requests

    private func request(_ body: [String: JSONValue], client: String, _ path: ReplyPath, mayForward: Bool) {
        guard let request = KeyValueRequest(body, client: client) else {
            reply(path, MaelstromError.malformedRequest.body("a field is missing"))
            return
        }
        guard node.role == .leader else {
            if mayForward, let leader = node.leader, let leaderName = names[leader], leaderName != name {
                forward(body, client: client, to: leaderName, path)
            } else {
                reply(path, MaelstromError.temporarilyUnavailable.body("no leader is known"))
            }
            return
        }
        switch request {
        case .read(let key):
            let context = pending.addRead(key, path, deadline: deadline)
            node.read(context: context)
        case .change(let command):
            propose(command, path)
        }
    }

    private func propose(_ command: KeyValueCommand, _ path: ReplyPath) {
        switch node.propose(StoredJSON.encode(command)) {
        case .success(let receipt):
            // An older proposal at this index may still be committed by another leader: unknown.
            if let older = pending.addWrite(receipt, path, deadline: deadline) {
                reply(older, MaelstromError.timeout.body("leadership was lost"))
            }
        case .failure(.tooLarge): reply(path, MaelstromError.abort.body("the value is too large"))
        case .failure(let refusal):
            reply(path, MaelstromError.temporarilyUnavailable.body("\(refusal)"))
        }
    }

    /// The life of this process is part of the number: an answer to an earlier life must not find a new request.
    private var life: JSONValue { .string(String(store.identity.startID, radix: 16)) }
    private var deadline: UInt64 { ticks + PendingRequests.lifetimeTicks }

    private func forward(_ body: [String: JSONValue], client: String, to leader: String, _ path: ReplyPath) {
        let id = pending.addForward(path, deadline: deadline)
        send(
            to: leader,
            [
                "type": .string("forward"), "id": .integer(Int64(id)), "life": life, "client": .string(client),
                "request": .object(body),
            ])
    }

    private func receiveForwarded(_ message: MaelstromMessage) {
        guard let id = message.body["id"]?.int, let life = message.body["life"]?.text,
            let client = message.body["client"]?.text, case .object(let body) = message.body["request"]
        else { return }
        request(body, client: client, .node(message.source, id: id, life: life), mayForward: false)
    }

    private func receiveAnswer(_ message: MaelstromMessage) {
        guard message.body["life"] == life, let id = message.body["id"]?.int, id >= 0,
            case .object(let body) = message.body["answer"], let path = pending.takeForward(UInt64(id))
        else { return }
        reply(path, body)
    }

    private func reply(_ path: ReplyPath, _ body: [String: JSONValue]) {
        switch path {
        case .client(let client, let request):
            var body = body
            body["in_reply_to"] = .integer(request)
            send(to: client, body)
        case .node(let other, let id, let life):
            send(
                to: other,
                ["type": .string("forwarded"), "id": .integer(id), "life": .string(life), "answer": .object(body)])
        }
    }

    private func send(to destination: String, _ body: [String: JSONValue]) {
        outbox.append(MaelstromMessage(source: name, destination: destination, body: body))
    }

    // MARK: Output

    /// Carries out everything the core wants done.
    ///
    /// - Throws: an error of the store after which the process must end. A full disk is none: what waits for it
    ///   stays unacknowledged and is tried again with the next call.
    package func flush() throws(BastionError) -> [MaelstromMessage] {
        while true {
            let ready = node.ready()
            let saved = try save(ready.persist)
            ready.messages.forEach(sendRaft)
            if let installed = ready.installedSnapshot {
                state = StoredJSON.decode(KeyValueState.self, installed.data)
                let lost = pending.takeWrites(through: installed.index)
                for path in lost { reply(path, MaelstromError.timeout.body("the outcome is unknown")) }
            }
            ready.committed.forEach(apply)
            answerReads(ready.reads)
            if ready.isEmpty && !saved { break }
        }
        try takeSnapshotIfDue()
        defer { outbox = [] }
        return outbox
    }

    /// true when something became durable and the core may have more to say.
    private func save(_ batch: PersistBatch?) throws(BastionError) -> Bool {
        if let batch { unsaved.append(batch) }
        guard let last = unsaved.last else { return false }
        do throws(BastionError) {
            try store.persist(unsaved)
        } catch {
            guard error.code == .unavailable else { throw error }
            return false
        }
        unsaved = []
        node.persisted(through: last.number)
        return true
    }

    private func sendRaft(_ message: RaftMessage) {
        guard let destination = names[message.to] else { return }
        let text = Data(message.encoded()).base64EncodedString()
        send(to: destination, ["type": .string("raft"), "data": .string(text)])
    }

    private func apply(_ entry: LogEntry) {
        let path = pending.takeWrite(entry.index)
        guard entry.kind == .command else {
            if let path { reply(path.path, MaelstromError.abort.body("another leader took over")) }
            return
        }
        let outcome = state.apply(StoredJSON.decode(KeyValueCommand.self, entry.payload))
        guard let path else { return }
        guard path.term == entry.term else {
            // Another entry is committed at its index: it never will be.
            reply(path.path, MaelstromError.abort.body("another leader took over"))
            return
        }
        reply(path.path, path.answer(outcome, StoredJSON.decode(KeyValueCommand.self, entry.payload)))
    }

    private func answerReads(_ results: [ReadResult]) {
        for result in results {
            guard let index = result.index else {
                if let path = pending.takeRead(result.context)?.path {
                    reply(path, MaelstromError.temporarilyUnavailable.body("leadership was not confirmed"))
                }
                continue
            }
            pending.confirmRead(result.context, at: index)
        }
        for read in pending.takeReads(through: node.appliedIndex) {
            if let value = state[read.key] {
                reply(read.path, ["type": .string("read_ok"), "value": value])
            } else {
                reply(read.path, MaelstromError.keyDoesNotExist.body("no such key"))
            }
        }
    }

    private func takeSnapshotIfDue() throws(BastionError) {
        guard store.statistics.isSnapshotDue,
            let snapshot = node.compact(
                through: node.appliedIndex, data: StoredJSON.encode(state), keeping: StoreStatistics.keptEntries)
        else { return }
        do throws(BastionError) {
            try store.saveSnapshot(snapshot)
            let kept = UInt64(StoreStatistics.keptEntries)
            if snapshot.index.rawValue > kept {
                try store.compact(before: LogIndex(snapshot.index.rawValue - kept + 1))
            }
        } catch {
            // Without space the log just stays longer.
            guard error.code == .unavailable else { throw error }
        }
    }
}
