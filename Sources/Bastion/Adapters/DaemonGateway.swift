import ClusterModel
import FailoverCore
import NodeCore
import Operations
import RaftIO

/// The cluster as operations see it, over this daemon's node: reads from its own state, changes through the leader.
package struct DaemonGateway: ClusterGateway {
    let driver: NodeDriver
    let transport: PeerTransport
    let health: HealthHistory
    let me: NodeName
    let desk: NodeDesk

    package func view() async -> ClusterView {
        var view = await driver.view()
        view.healthChecks = health.entries
        return view
    }

    package func views(minimumInterval: Duration) -> AsyncStream<ClusterView> {
        AsyncStream { continuation in
            let task = Task {
                var last: ClusterView?
                while !Task.isCancelled {
                    let view = await view()
                    if view != last { continuation.yield(view) }
                    last = view
                    do { try await Task.sleep(for: minimumInterval) } catch { break }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    package func submit(
        _ request: ClusterRequest, metadata: RequestMetadata, forward: Bool
    ) async throws(BastionError) -> ClusterReply {
        if case .snapshot = request { return try await local(request, metadata) }
        // Limit: a change of leader is waited for; nothing was carried out when these errors come.
        var last = BastionError(.noLeader, "the cluster has no leader now", hint: "wait with `pgbastion wait leader`")
        for _ in 0..<40 {
            do throws(BastionError) { return try await submitOnce(request, metadata, forward) } catch {
                guard forward, error.code == .notLeader || error.code == .noLeader || error.code == .busy else { throw error }
                last = error
            }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { break }
        }
        throw last.code == .notLeader ? BastionError(.noLeader, last.message, hint: last.hint) : last
    }

    private func submitOnce(
        _ request: ClusterRequest, _ metadata: RequestMetadata, _ forward: Bool
    ) async throws(BastionError) -> ClusterReply {
        let leader = await driver.look { node in node.leaderMember }
        guard let leader else {
            throw BastionError(.noLeader, "the cluster has no leader now", hint: "wait with `pgbastion wait leader`")
        }
        if leader.isSelf { return try await local(request, metadata) }
        guard forward else {
            throw BastionError(
                .notLeader, "this node is not the leader", hint: leader.name.map { "ask \"\($0)\", the leader" })
        }
        let question = PeerCoding.encode(PeerQuestion.change(request, metadata))
        let bytes = try await transport.request(to: leader.member, payload: question, timeout: .seconds(35))
        switch try PeerCoding.decode(PeerAnswer.self, bytes) {
        case .reply(let reply): return reply
        case .refused(let error): throw error
        case .secrets, .asked: throw BastionError(.internal, "the leader gave the wrong answer")
        }
    }

    package func ask(
        _ node: NodeName, _ request: NodeRequest, metadata: RequestMetadata, limit: Duration
    ) async throws(BastionError) -> NodeReply {
        if node == me { return try await desk.answer(request, metadata) }
        let found = await driver.look { ($0.state.nodes[node]?.memberID, $0.state.sortedNodes.map(\.name.rawValue)) }
        guard let member = found.0 else {
            throw BastionError(
                .notFound, "node \"\(node)\" is not a member of the cluster",
                detail: "members: \(found.1.joined(separator: ", "))", hint: "see `pgbastion peer list`")
        }
        let question = PeerCoding.encode(PeerQuestion.ask(request, metadata))
        let bytes: [UInt8]
        do throws(BastionError) {
            bytes = try await transport.request(to: member, payload: question, timeout: limit)
        } catch {
            throw BastionError(
                .unavailable, "node \"\(node)\" does not answer", detail: error.message, hint: "see `pgbastion peer list`")
        }
        switch try PeerCoding.decode(PeerAnswer.self, bytes) {
        case .asked(let reply): return reply
        case .refused(let error): throw error
        case .reply, .secrets: throw NodeReply.mismatch(request)
        }
    }

    /// On this node, as leader; a node to be added is probed first (E03).
    func local(_ request: ClusterRequest, _ metadata: RequestMetadata) async throws(BastionError) -> ClusterReply {
        var peer: PeerIdentity?
        if case .addPeer(let name, let host, let port, _) = request { peer = try await probe(name, host, port) }
        return try await driver.request(request, metadata, peer: peer).get()
    }

    /// P28: before the node receives anything.
    private func checkVersion(_ hello: PeerHello) async throws(BastionError) {
        let level = await driver.look { $0.state.cluster?.features ?? 1 }
        guard let reason = hello.incompatibility(requiring: level) else { return }
        throw BastionError(
            .preconditionFailed, "refused: \(reason)", detail: "check peer.version: \(reason). Nothing was changed",
            hint: "install a version there that the cluster can talk to: `pgbastion version --cluster`",
            checks: [FailedCheck(id: "peer.version", actual: hello.version)])
    }

    private func probe(_ name: NodeName, _ host: String, _ port: Int) async throws(BastionError) -> PeerIdentity {
        do throws(BastionError) {
            let hello = try await transport.probe(host: host, port: port, timeout: .seconds(3))
            try await checkVersion(hello)
            return PeerIdentity(
                name: hello.nodeName, memberID: hello.memberID, clusterID: hello.clusterID,
                kind: NodeKind(rawValue: hello.properties["kind"] ?? "") ?? .data,
                postgresPort: Int(hello.properties["postgres_port"] ?? "") ?? 5432, version: hello.version)
        } catch {
            if error.code == .foreignState || error.code == .removed || !error.checks.isEmpty { throw error }
            throw BastionError(
                .preconditionFailed, "refused: node \"\(name)\" at \(host):\(port) does not answer",
                detail: "check peer.reachable: \(error.message). Nothing was changed",
                hint: "start pgbastion there with bootstrap: false, then try again",
                checks: [FailedCheck(id: "peer.reachable", actual: error.message)])
        }
    }
}
