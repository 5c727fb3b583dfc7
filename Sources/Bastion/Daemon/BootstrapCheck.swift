import ClusterModel
import ConfigFiles
import FoundationEssentials
import RaftIO

/// K06, GD9: a node with an empty Raft directory founds no second cluster while a known member answers for one.
struct BootstrapCheck {
    let configuration: NodeConfiguration

    /// The member that answered for a cluster; nil when none did.
    func runningCluster() async throws(BastionError) -> (address: String, hello: PeerHello)? {
        let known =
            configuration.cluster.peers.map { (host: $0.host.text, port: $0.port.number) }
            + RememberedMembers(configuration).load().map { (host: $0.host, port: $0.port) }
        guard !known.isEmpty else { return nil }
        let transport = PeerTransport(settings: probeSettings, handlers: handlers)
        var found: (address: String, hello: PeerHello)?
        for (host, port) in known where (host, port) != (configuration.node.address.text, configuration.raft.bindPort.number) {
            do throws(BastionError) {
                let hello = try await transport.probe(host: host, port: port, timeout: .seconds(2))
                guard hello.clusterID != nil else { continue }
                found = ("\(host):\(port)", hello)
                break
            } catch {
                // A member of another cluster answers with a refusal: it is running, and so is its cluster.
                guard error.code == .foreignState else { continue }
                await transport.stop()
                throw error
            }
        }
        await transport.stop()
        return found
    }

    /// Who answers there; this node has no cluster yet.
    func hello(host: String, port: Int) async throws(BastionError) -> PeerHello {
        let transport = PeerTransport(settings: probeSettings, handlers: handlers)
        let hello: PeerHello
        do throws(BastionError) { hello = try await transport.probe(host: host, port: port, timeout: .seconds(3)) } catch {
            await transport.stop()
            throw error
        }
        await transport.stop()
        return hello
    }

    var probeSettings: TransportSettings {
        var settings = configuration.transportSettings
        settings.port = 0
        settings.bindHosts = []
        return settings
    }

    /// This node is nobody yet.
    var handlers: TransportHandlers {
        let name = configuration.node.name
        let member = MemberID(rawValue: .random(in: 1 ... .max))
        let daemon = DaemonIncarnation(rawValue: .random(in: 1 ... .max))
        return TransportHandlers(
            hello: {
                PeerHello(
                    clusterID: nil, epoch: 0, memberID: member, nodeName: name, daemonIncarnation: daemon, featureLevel: 1,
                    generation: 0, startID: 0, version: "")
            }, admit: { _, _ in .accept }, onMessage: { _, _ in }, onRequest: { _, _ in [] })
    }
}

/// The addresses of the other members, kept outside the Raft directory, so that they outlive a wipe of it.
///
/// A restarted node has applied nothing until a leader confirms its log (RA14), so it knows its members' addresses only from
/// here: without them nodes that all restart at once could never elect a leader.
struct RememberedMembers: Sendable {
    private let path: String

    init(_ configuration: NodeConfiguration) { path = configuration.node.stateDirectory + "/members.json" }

    private struct Member: Codable {
        var member: MemberID
        var host: String
        var port: Int
    }

    /// Nothing when there is no file, or none that can be read: it is a help, not a truth.
    func load() -> [RaftIO.PeerAddress] {
        guard let text = TextFiles.read(path) else { return [] }
        do {
            return try JSONDecoder().decode([Member].self, from: Data(text.utf8)).map {
                RaftIO.PeerAddress(memberID: $0.member, host: $0.host, port: $0.port)
            }
        } catch {
            return []
        }
    }

    func save(_ members: [RaftIO.PeerAddress]) throws(BastionError) {
        do {
            let entries = members.map { Member(member: $0.memberID, host: $0.host, port: $0.port) }
            try TextFiles.write(String(decoding: try JSONEncoder().encode(entries), as: UTF8.self), to: path)
        } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.internal, "the members cannot be encoded", detail: "\(error)")
        }
    }
}
