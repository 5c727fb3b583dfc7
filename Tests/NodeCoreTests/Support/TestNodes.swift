import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// Nodes with an instant network and a disk that is done at once. Time moves only by `run`.
final class TestNodes {
    private(set) var nodes: [String: BastionNode] = [:]
    private(set) var disks: [String: DurableState] = [:]
    private(set) var replies: [UInt64: Result<ClusterReply, BastionError>] = [:]
    private(set) var reads: [UInt64: Bool] = [:]
    private(set) var halts: [String] = []
    private(set) var archives: [(node: String, snapshot: ArchivedSnapshot)] = []
    private(set) var installed: [String] = []
    private(set) var peers: [String: [PeerEndpoint]] = [:]
    var measured: [String: [NodeMeasurement]] = [:]
    /// Nodes that hear nobody and are heard by nobody.
    var cut: Set<String> = []
    private(set) var now = ClockStamp(raw: 1_000_000_000)
    private var inbox: [(to: String, input: NodeInput)] = []
    private var nextRequest: UInt64 = 0

    /// `first` founds the cluster.
    init(_ first: String) throws {
        try start(first, bootstrap: true)
        run(until: { self.leader == first && self.nodes[first]?.state.nodes[name(first)] != nil })
    }

    /// A new node that waits to be added.
    func start(_ node: String, bootstrap: Bool = false, kind: NodeKind = .witness) throws {
        var disk = DurableState()
        if bootstrap {
            let batch = BastionNode.bootstrapBatch(member: member(node))
            disk = DurableState(hardState: batch.hardState ?? HardState(), entries: batch.entries)
        }
        disks[node] = disk
        nodes[node] = try BastionNode(
            identity: identity(node, cluster: bootstrap ? clusterID : nil, kind: kind), durable: disk, settings: NodeSettings(),
            pledgedBallot: .never, seed: UInt64(node.utf8.first ?? 0), now: now)
    }

    /// One data node that starts alone from a restored state.
    init(restored state: ClusterState, on first: String) throws {
        let membership = Membership(voters: [server(first)])
        let snapshot = Snapshot(index: LogIndex(1_000_020), term: Term(1), membership: membership, data: try StateCodec.encode(state))
        let disk = DurableState(hardState: HardState(term: Term(1)), snapshot: snapshot, entries: [])
        disks[first] = disk
        nodes[first] = try BastionNode(
            identity: identity(first, cluster: nil, kind: .data), durable: disk, settings: NodeSettings(), pledgedBallot: .never, seed: 1,
            now: now)
        run(until: { self.leader == first })
    }

    /// Lets time pass in ticks of 10 ms until the condition holds, at most `seconds`.
    @discardableResult
    func run(seconds: Int = 10, until done: () -> Bool = { false }) -> Bool {
        for _ in 0..<(seconds * 100) {
            if done() { return true }
            now = now.advanced(by: .milliseconds(10))
            for node in nodes.keys.sorted() { feed(node, .tick) }
            deliver()
        }
        return done()
    }

    /// Asks a node and lets time pass until it answers.
    func ask(
        _ node: String, _ request: ClusterRequest, key: String? = nil, peer: PeerIdentity? = nil, run: RunClaim? = nil,
        overrides: [String] = []
    ) -> Result<ClusterReply, BastionError>? {
        let id = begin(node, request, key: key, peer: peer, run: run, overrides: overrides)
        self.run(until: { self.replies[id] != nil })
        return replies[id]
    }

    /// Asks a node and does not wait.
    func begin(
        _ node: String, _ request: ClusterRequest, key: String? = nil, peer: PeerIdentity? = nil, run: RunClaim? = nil,
        overrides: [String] = []
    ) -> UInt64 {
        nextRequest += 1
        let metadata = RequestMetadata(
            requestID: requestID("q\(nextRequest)"), idempotencyKey: key.map(requestID), actor: "test", overrides: overrides,
            runID: run?.runID, fencing: run?.fencing)
        feed(node, .request(id: nextRequest, request, metadata, peer: peer))
        deliver()
        return nextRequest
    }

    func read(_ node: String) -> Bool? {
        nextRequest += 1
        let id = nextRequest
        feed(node, .read(id: id))
        deliver()
        run(seconds: 5, until: { self.reads[id] != nil })
        return reads[id]
    }

    /// Starts `node` and adds it; it is a voter afterwards.
    func add(_ node: String, kind: NodeKind = .witness, learnerOnly: Bool = false) throws {
        if nodes[node] == nil { try start(node) }
        guard let leader else { return }
        _ = ask(leader, adding(node, learnerOnly: learnerOnly), peer: peerIdentity(node, kind: kind))
        guard !learnerOnly else { return }
        run(until: { self.raft(leader)?.membership.voters.contains(server(node)) == true })
    }

    var leader: String? {
        nodes.filter { $0.value.isReadyLeader && !cut.contains($0.key) }.max {
            $0.value.raft.term < $1.value.raft.term
        }?.key
    }
    func state(_ node: String) -> ClusterState { nodes[node]?.state ?? ClusterState() }
    func raft(_ node: String) -> RaftNode? { nodes[node]?.raft }
    func view(_ node: String) -> ClusterView? { nodes[node]?.view(now: now, wallTime: now.raw / 1_000_000) }

    func feed(_ node: String, _ input: NodeInput) {
        guard var value = nodes[node] else { return }
        let effects = value.step(input, now: now, wallTime: now.raw / 1_000_000)
        nodes[node] = value
        for effect in effects { carryOut(effect, of: node) }
    }

    func deliver() {
        // Limit: a conversation that does not end is a defect.
        for _ in 0..<200_000 {
            guard !inbox.isEmpty else { return }
            let (to, input) = inbox.removeFirst()
            feed(to, input)
        }
        halts.append("the nodes talk without end")
    }

    private func carryOut(_ effect: NodeEffect, of node: String) {
        switch effect {
        case .persist(let batch):
            if batch.snapshot != nil { installed.append(node) }
            disks[node]?.write(batch)
            inbox.append((node, .persisted(through: batch.number)))
        case .send(let to, let message, _):
            guard let target = nodes.keys.first(where: { member($0) == to }), !cut.contains(node), !cut.contains(target)
            else { return }
            inbox.append((target, .message(from: member(node), message)))
        case .reply(let id, let result): replies[id] = result
        case .readConfirmed(let id, let isConfirmed): reads[id] = isConfirmed
        case .digest(let state, let index):
            do {
                inbox.append((node, .stateDigested(StateMark(index: index, sha256: try StateCodec.digest(of: state)))))
            } catch {
                halts.append("\(node): \(error)")
            }
        case .halt(_, let why): halts.append("\(node): \(why)")
        case .archive(let snapshot): archives.append((node, snapshot))
        case .peers(let list): peers[node] = list
        case .measured(let measurement): measured[node, default: []].append(measurement)
        default: break
        }
    }
}

extension DurableState {
    mutating func write(_ batch: PersistBatch) {
        if let hard = batch.hardState { hardState = hard }
        if let received = batch.snapshot {
            snapshot = received
            entries = []
        }
        if let first = batch.entries.first {
            entries.removeAll { $0.index >= first.index }
            entries += batch.entries
        }
    }
}

let clusterID = ClusterID(rawValue: 0xC1)

func name(_ text: String) -> NodeName {
    guard let name = NodeName(text) else { preconditionFailure("\"\(text)\" is not a node name") }
    return name
}
func requestID(_ text: String) -> RequestID {
    guard let id = RequestID(text) else { preconditionFailure("\"\(text)\" is not a request id") }
    return id
}
func member(_ node: String) -> MemberID { MemberID(rawValue: node.utf8.reduce(1) { $0 * 256 + UInt128($1) }) }
func server(_ node: String) -> ServerID { ServerID(member(node).rawValue) }

func identity(_ node: String, cluster: ClusterID?, kind: NodeKind = .witness) -> NodeIdentity {
    NodeIdentity(
        name: name(node), memberID: member(node), daemon: DaemonIncarnation(rawValue: member(node).rawValue),
        host: "host-\(node)",
        raftPort: 7000, postgresPort: 5432, kind: kind, clusterName: "demo", clusterID: cluster, mayInitialise: false,
        version: "1.0")
}
func peerIdentity(_ node: String, cluster: ClusterID? = nil, kind: NodeKind = .witness) -> PeerIdentity {
    PeerIdentity(
        name: name(node), memberID: member(node), clusterID: cluster, kind: kind, postgresPort: 5432, version: "1.0")
}
func adding(_ node: String, learnerOnly: Bool = false) -> ClusterRequest {
    .addPeer(name: name(node), host: "host-\(node)", port: 7000, learnerOnly: learnerOnly)
}
