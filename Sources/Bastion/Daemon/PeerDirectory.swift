import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import Operations
import PostgresControl
import RaftCore
import RaftIO
import Synchronization

/// Who the peers are: the members of the cluster state, and before this node has any, the leader that adds it.
package final class PeerDirectory: Sendable {
    private let configuration: NodeConfiguration
    private let daemon: DaemonIncarnation
    private let clusterWide: String
    private let state: Mutex<State>
    private let parts = Mutex<Parts?>(nil)

    /// Not empty in the hello of a node that knows a leader.
    static let leaderProperty = "leader"
    /// The member ids that the sender's state names, separated by commas.
    static let membersProperty = "members"

    private struct State {
        var identity: StableIdentity
        var knowsLeader = false
        var members: [PeerEndpoint] = []
        var removed: Set<MemberID> = []
        var featureLevel: UInt32 = 1
        /// Remembered from before the restart, or learned from the hello of whoever connected here; dropped when the state names
        /// its member.
        var callers: [MemberID: RaftIO.PeerAddress] = [:]
    }
    private struct Parts: Sendable {
        var transport: PeerTransport
        var gateway: DaemonGateway
        var postgres: PostgresServer?
    }

    init(configuration: NodeConfiguration, store: StableIdentity, daemon: DaemonIncarnation) {
        self.configuration = configuration
        self.daemon = daemon
        clusterWide = SharedConfiguration(configuration).text
        var state = State(identity: store)
        if store.clusterID != nil {
            for address in RememberedMembers(configuration).load() where address.memberID != store.memberID {
                state.callers[address.memberID] = address
            }
        }
        self.state = Mutex(state)
    }

    func connect(transport: PeerTransport, gateway: DaemonGateway, postgres: PostgresServer?) {
        parts.withLock { $0 = Parts(transport: transport, gateway: gateway, postgres: postgres) }
        update()
    }

    var postgres: PostgresServer? { parts.withLock { $0 }?.postgres }
    var gateway: DaemonGateway? { parts.withLock { $0 }?.gateway }
    var clusterID: ClusterID? { state.withLock { $0.identity.clusterID } }

    /// RA19: what this node says of itself in every handshake.
    var hello: PeerHello {
        let (identity, knowsLeader, members) = state.withLock { ($0.identity, $0.knowsLeader, $0.members.map(\.memberID.description)) }
        return PeerHello(
            clusterID: identity.clusterID, epoch: identity.epoch, memberID: identity.memberID,
            nodeName: configuration.node.name, daemonIncarnation: daemon, featureLevel: PeerHello.supportedFeatureLevel,
            generation: identity.generation, startID: identity.startID, version: ReportedVersion.value,
            properties: [
                "host": configuration.node.address.text, "raft_port": configuration.raft.bindPort.description,
                "postgres_port": configuration.postgresql?.port.description ?? "5432", "kind": configuration.kind.rawValue,
                // For doctor: nothing is decided by another machine's clock.
                "wall_clock_ms": "\(wallClockMilliseconds())",
                // For `config init --join`; without secrets.
                "configuration": clusterWide,
                // For whoever restores or resets a node whose daemon does not run.
                PeerDirectory.leaderProperty: knowsLeader ? "yes" : "",
                PeerDirectory.membersProperty: members.joined(separator: ","),
            ])
    }

    func setLeaderKnown(_ isKnown: Bool) { state.withLock { $0.knowsLeader = isKnown } }

    func adopt(_ cluster: ClusterID, epoch: UInt32) {
        state.withLock {
            $0.identity.clusterID = cluster
            $0.identity.epoch = epoch
        }
    }

    /// RA19, RA20: whom this node lets in now.
    var admissionRule: AdmissionRule {
        state.withLock { AdmissionRule(clusterID: $0.identity.clusterID, removed: $0.removed, featureLevel: $0.featureLevel) }
    }

    func setAdmission(removed: Set<MemberID>, featureLevel: UInt32) {
        state.withLock {
            $0.removed = removed
            $0.featureLevel = featureLevel
        }
    }

    func setMembers(_ members: [PeerEndpoint]) {
        state.withLock { state in
            state.members = members
            for member in members { state.callers[member.memberID] = nil }
        }
        update()
        let addresses = members.map { RaftIO.PeerAddress(memberID: $0.memberID, host: $0.host, port: $0.port) }
        do throws(BastionError) { try RememberedMembers(configuration).save(addresses) } catch {
            // A help only: the members know this node's address as well.
        }
    }

    /// Somebody connected: if the state does not know it yet, it can be answered at the address it names.
    func noteCaller(_ hello: PeerHello) {
        guard let host = hello.properties["host"], let port = Int(hello.properties["raft_port"] ?? "") else { return }
        let isNew = state.withLock { state in
            let address = RaftIO.PeerAddress(memberID: hello.memberID, host: host, port: port)
            guard !state.members.contains(where: { $0.memberID == hello.memberID }), state.callers[hello.memberID] != address
            else { return false }
            // Limit: as many as a cluster can have.
            guard state.callers.count < 16 else { return false }
            state.callers[hello.memberID] = address
            return true
        }
        if isNew { update() }
    }

    private func update() {
        let addresses = state.withLock { state in
            state.members.map { RaftIO.PeerAddress(memberID: $0.memberID, host: $0.host, port: $0.port) }
                + state.callers.sorted { $0.key < $1.key }.map(\.value)
        }
        parts.withLock { $0 }?.transport.setPeers(addresses)
    }
}

extension PeerDirectory {
    /// After the members changed: who was removed, and what the cluster's state needs.
    func refreshAdmission(from driver: NodeDriver) async {
        let (removed, level) = await driver.look { node in
            let members = Set(node.raft.membership.members.map(\.rawValue))
            return (Set(node.state.tombstones.filter { !members.contains($0.rawValue) }), node.state.cluster?.features ?? 1)
        }
        setAdmission(removed: removed, featureLevel: level)
    }
}
