import CLinux
import ClusterModel
import ConfigFiles
import Dispatch
import FailoverCore
import Glibc
import NodeCore
import PostgresControl
import RaftCore
import RaftIO

/// What a running daemon finds out about itself: its machine, its server, its disk, and every member it can reach.
struct NodeInspection: Sendable {
    /// Limit: for the handshake with one member.
    private static let dialLimit: Duration = .seconds(3)

    let path: String
    let live: LiveSettings
    let driver: NodeDriver
    let transport: PeerTransport
    let postgres: PostgresLink?
    let guardLink: GuardLink?

    /// - Parameter topics: What costs a connection or a write is done only when it is asked for.
    func diagnosis(_ topics: [DiagnosisTopic]) async -> NodeDiagnosis {
        let configuration = live.configuration
        async let machine = MachineInspection(path: path, running: configuration).diagnosis()
        async let peers = topics.contains(.network) ? dialAll(configuration) : []
        async let server = topics.contains(.postgres) ? inspectServer(configuration) : nil
        var result = await machine
        result.raft = await raft(configuration, measuresDisk: topics.contains(.raft))
        result.peers = await peers
        if let server = await server { server(&result) }
        return result
    }

    // MARK: Raft

    private func raft(_ configuration: NodeConfiguration, measuresDisk: Bool) async -> RaftDiagnosis {
        var facts = RaftDiagnosis()
        let (state, applied, cluster) = await driver.look { node in
            (node.state, node.raft.appliedIndex.rawValue, node.state.cluster?.id ?? node.identity.clusterID)
        }
        facts.clusterID = cluster?.short
        facts.appliedIndex = applied
        facts.featureLevel = state.cluster?.features ?? 1
        facts.supportedFeatureLevel = PeerHello.supportedFeatureLevel
        guard measuresDisk else { return facts }
        do { facts.stateDigest = try StateCodec.digest(of: state) } catch { facts.stateDigest = nil }
        facts.diskLatencySeconds = await measureDisk(configuration.raft.dataDirectory)
        return facts
    }

    /// The median of five small writes; on a thread of its own, since a bad disk can hang.
    private func measureDisk(_ directory: String) async -> Double? {
        await withCheckedContinuation { continuation in
            DiskQueue.shared.async {
                let file = "\(directory)/doctor.probe"
                defer { unlink(file) }
                var seconds: [Double] = []
                for _ in 0..<5 {
                    let begin = pgb_clock_monotonic_ns()
                    let text = [UInt8](repeating: 0x64, count: 512)
                    guard text.withUnsafeBytes({ pgb_write_durably(file, $0.baseAddress, $0.count, 0o600) }) == 0 else { break }
                    seconds.append(Double(pgb_clock_monotonic_ns() - begin) / 1e9)
                }
                continuation.resume(returning: seconds.isEmpty ? nil : seconds.sorted()[seconds.count / 2])
            }
        }
    }

    // MARK: Members

    private struct Target: Sendable {
        var name: NodeName?
        var host: String
        var port: Int
    }

    /// P22: the Raft port of every other member, whether or not there is a leader.
    private func dialAll(_ configuration: NodeConfiguration) async -> [PeerDial] {
        let own = configuration.node.name
        var targets = await driver.look { node in
            node.state.sortedNodes.filter { $0.name != own }.map { Target(name: $0.name, host: $0.host, port: $0.raftPort) }
        }
        if targets.isEmpty {
            let mine = await driver.look { $0.identity.memberID }
            targets = RememberedMembers(configuration).load().filter { $0.memberID != mine }
                .map { Target(name: nil, host: $0.host, port: $0.port) }
            targets += configuration.cluster.peers.filter { peer in
                !targets.contains { $0.host == peer.host.text && $0.port == peer.port.number }
            }
            .filter { $0.host != configuration.node.address || $0.port != configuration.raft.bindPort }
            .map { Target(name: nil, host: $0.host.text, port: $0.port.number) }
        }
        return await withTaskGroup(of: PeerDial.self) { group in
            for target in targets { group.addTask { await dial(target) } }
            var dials: [PeerDial] = []
            for await dial in group { dials.append(dial) }
            return dials.sorted { $0.address < $1.address }
        }
    }

    private func dial(_ target: Target) async -> PeerDial {
        var result = PeerDial(name: target.name, address: "\(target.host):\(target.port)")
        let begin = wallClockMilliseconds()
        let clock = ContinuousClock()
        let start = clock.now
        do throws(BastionError) {
            let hello = try await transport.probe(host: target.host, port: target.port, timeout: NodeInspection.dialLimit)
            let seconds = (clock.now - start).inSeconds
            result.seconds = seconds
            result.version = hello.version
            if let expected = target.name, hello.nodeName != expected {
                result.error = "node \(hello.nodeName) answers there"
            }
            result.name = target.name ?? hello.nodeName
            if let theirs = hello.properties["wall_clock_ms"].flatMap({ Int64($0) }) {
                result.clockOffsetSeconds = Double(theirs - begin) / 1000 - seconds / 2
            }
        } catch {
            result.error = error.detail.map { "\(error.message): \($0)" } ?? error.message
        }
        return result
    }

    // MARK: Server

    private static let settings = ["wal_level", "max_wal_senders", "fsync", "full_page_writes", "wal_log_hints", "hot_standby"]

    /// P21: a real connection as configured, and what the server tells over its own socket.
    private func inspectServer(_ configuration: NodeConfiguration) async -> (@Sendable (inout NodeDiagnosis) -> Void)? {
        guard let settings = configuration.postgresql else { return nil }
        let parameters = MachineInspection.connection(settings)
        async let connection = ConnectionTest.run(parameters, within: settings.healthTimeout)
        async let facts = postgres?.server.facts()
        async let inspected = postgres?.server.inspect(
            settings: NodeInspection.settings, roles: [settings.superuser, settings.replicationUser])
        let (outcome, known, told) = await (connection, facts, inspected)
        let guarded = guardLink?.guardedPostmaster
        let target = settings.connection.description
        return { result in
            result.postgres?.connection = outcome
            result.postgres?.target = target
            result.postgres?.facts = known
            result.postgres?.guardedPID = guarded
            result.postgres?.settings = told?.settings ?? [:]
            result.postgres?.missingRoles = told?.missingRoles
        }
    }
}

extension MachineInspection {
    /// libpq's parameters of `postgresql.connect_dsn`; the superuser when it names nobody.
    static func connection(_ settings: NodeConfiguration.PostgreSQL) -> [(key: String, value: String)] {
        var connection = settings.connection
        if connection.user == nil { connection.user = settings.superuser }
        return connection.parameters(defaultPort: settings.port)
    }
}
