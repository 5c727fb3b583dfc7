import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import PostgresControl
import RaftCore
import RaftIO
import Synchronization

/// What happens when a peer says something.
struct PeerHandlers: Sendable {
    let peers: PeerDirectory
    let storage: StorageQueue
    let driver: NodeDriver
    let effects: EffectRouter

    var handlers: TransportHandlers {
        TransportHandlers(
            hello: { peers.hello }, admit: { admit($0, $1) }, onMessage: { received($1, from: $0) },
            onRequest: { await answer($1, from: $0) }, onEvent: { note($0) })
    }

    private func admit(_ hello: PeerHello, _ purpose: PeerPurpose) -> PeerAdmission {
        // A removed member leaves the Raft membership after the state: what is asked for now decides the next attempt.
        if purpose != .probe { Task { await peers.refreshAdmission(from: driver) } }
        return peers.admissionRule.admission(of: hello, for: purpose)
    }

    private func received(_ bytes: [UInt8], from hello: PeerHello) {
        if peers.clusterID == nil, let cluster = hello.clusterID {
            join(cluster, hello)
            return  // RA19: nothing is answered before the cluster id is durable; Raft sends again.
        }
        peers.noteCaller(hello)
        do throws(MalformedMessage) {
            driver.submit(.message(from: hello.memberID, try PeerMessage(bytes: bytes)))
        } catch {
            effects.log(
                NodeEvent(
                    .warning, "peer.malformed", "a peer's message could not be read",
                    ["peer": hello.nodeName.rawValue, "reason": error.reason]))
        }
    }

    private func join(_ cluster: ClusterID, _ hello: PeerHello) {
        storage.adopt(cluster, epoch: hello.epoch) { isDurable in
            guard isDurable else { return }
            peers.adopt(cluster, epoch: hello.epoch)
            effects.joined(cluster)
            peers.noteCaller(hello)
            effects.log(NodeEvent(.info, "membership.joined", "this node joins cluster \(cluster.short), added by \(hello.nodeName)"))
        }
    }

    private func answer(_ bytes: [UInt8], from hello: PeerHello) async -> [UInt8] {
        let answer: PeerAnswer
        do throws(BastionError) {
            switch try PeerCoding.decode(PeerQuestion.self, bytes) {
            case .change(let request, let metadata):
                guard let gateway = peers.gateway else { throw BastionError(.unavailable, "the daemon is starting") }
                answer = .reply(try await gateway.local(request, metadata))
            case .ask(let request, let metadata):
                guard let gateway = peers.gateway else { throw BastionError(.unavailable, "the daemon is starting") }
                answer = .asked(try await gateway.desk.answer(request, metadata))
            case .secrets:
                answer = .secrets(try await secrets(for: hello.memberID))
            }
        } catch {
            answer = .refused(error)
        }
        return PeerCoding.encode(answer)
    }

    /// AG23: only a registered member is told the passwords.
    private func secrets(for member: MemberID) async throws(BastionError) -> PostgresSecrets {
        guard await driver.look({ $0.isRegistered(member) }) else {
            throw BastionError(.forbidden, "member \(member.short) is not registered")
        }
        guard let secrets = try await peers.postgres?.secrets() else {
            throw BastionError(.unavailable, "this node has no passwords of the service roles yet")
        }
        return secrets
    }

    private func note(_ event: PeerEvent) {
        switch event {
        case .connected(let member, let lane) where lane == .urgent:
            effects.log(NodeEvent(.debug, "peer.connected", "connected to a peer", ["member": member.short]))
        case .disconnected(let member, let lane) where lane == .urgent:
            effects.log(NodeEvent(.debug, "peer.disconnected", "a peer's connection ended", ["member": member.short]))
        case .refused(let from, let error):
            effects.log(NodeEvent(.warning, "peer.refused", error.message, ["remote": from, "code": error.code.rawValue]))
        case .dialFailed(let peer, let error) where error.code == .removed:
            // RA19: as if the member had said so in a message; the core decides what it is worth.
            let own = peers.hello.memberID
            driver.submit(.message(from: peer.memberID, .node(.removed(own))))
        default: break
        }
    }
}

/// Asks the primary's node, else the other members, for the passwords of the service roles.
struct SecretsClient: Sendable {
    let driver: NodeDriver
    let transport: PeerTransport
    let member: MemberID

    func fetch() async -> PostgresSecrets? {
        let own = member
        let members = await driver.look { node in
            let first = node.state.primary?.memberID
            let others = node.state.sortedNodes.map(\.memberID).filter { $0 != first && $0 != own }
            return ([first].compactMap { $0 } + others).filter { $0 != own }
        }
        for other in members {
            do throws(BastionError) {
                let question = PeerCoding.encode(PeerQuestion.secrets(own))
                let bytes = try await transport.request(to: other, payload: question, timeout: .seconds(3))
                if case .secrets(let secrets) = try PeerCoding.decode(PeerAnswer.self, bytes) { return secrets }
            } catch {
                continue
            }
        }
        return nil
    }
}
