import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import RaftIO

/// ST11: an empty node whose older copy was moved aside asks the members to take it back, until one of them has.
package struct RejoinRequest: Sendable {
    let configuration: NodeConfiguration
    let members: [MemberProbe.Answer]

    /// Ends when this node is a member, or its task is cancelled.
    func run(_ transport: PeerTransport, _ driver: NodeDriver, _ effects: EffectRouter) async {
        let known = members.compactMap { answer in
            answer.hello.map { RaftIO.PeerAddress(memberID: $0.memberID, host: answer.address.host, port: answer.address.port) }
        }
        transport.setPeers(known)
        let name = configuration.node.name
        guard let id = RequestID("rejoin-\(UInt32.random(in: 1 ... .max))") else { return }
        let request = ClusterRequest.addPeer(
            name: name, host: configuration.node.address.text, port: configuration.raft.bindPort.number, learnerOnly: false)
        let question = PeerCoding.encode(
            PeerQuestion.change(
                request, RequestMetadata(requestID: id, actor: "node \(name)", reason: "its older copy was moved aside (ST11)")))
        var last = ""
        while !Task.isCancelled, await driver.look({ $0.state.cluster == nil }) {
            for member in known {
                let (isAccepted, told) = await ask(member.memberID, question, transport)
                if told != last {
                    last = told
                    effects.log(NodeEvent(isAccepted ? .info : .warning, "membership.rejoin", told, ["member": member.memberID.short]))
                }
                if isAccepted { break }
            }
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }

    private func ask(_ member: MemberID, _ question: [UInt8], _ transport: PeerTransport) async -> (Bool, String) {
        do throws(BastionError) {
            let bytes = try await transport.request(to: member, payload: question, timeout: .seconds(10))
            switch try PeerCoding.decode(PeerAnswer.self, bytes) {
            case .reply(let reply): return (true, "this node is taken back: \(reply.summary)")
            case .refused(let error): return (false, "this node is not taken back yet: \(error.message)")
            case .secrets, .asked: return (false, "a member gave the wrong answer")
            }
        } catch {
            return (false, "this node is not taken back yet: \(error.message)")
        }
    }
}
