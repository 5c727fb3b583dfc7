import CLinux
import ClusterModel
import ConfigFiles
import Dispatch
import FailoverCore
import Glibc
import Guard
import HTTPAPI
import Logging
import NIOCore
import NIOPosix
import NodeCore
import PostgresControl
import ProxyServer
import RaftCore
import RaftIO
import Synchronization
import Telemetry
import VirtualIP

/// One node's daemon: the core, and every adapter wired to it.
package final class Daemon: Sendable {
    let configuration: NodeConfiguration
    let configurationPath: String
    let logs: LogControl
    let logger: Logger
    let store: RaftLogStore
    let storage: StorageQueue
    let driver: NodeDriver
    let transport: PeerTransport
    let proxy: ProxyServer
    let postgres: PostgresLink?
    let guardLink: GuardLink?
    let address: AddressKeeper?
    let api: HTTPAPIServer
    let gateway: DaemonGateway
    let metrics: NodeMetrics
    let health: HealthHistory
    let live: LiveSettings
    let effects: EffectRouter
    let signals = DaemonSignals()

    /// Opens everything and starts nothing.
    ///
    /// - Parameters:
    ///   - program: This binary's path; the guard is started from it.
    ///   - mayBootstrap: No known member answers for a running cluster (K06).
    package init(
        configuration: NodeConfiguration, path: String, program: String, mayBootstrap: Bool, logs: LogControl
    ) throws(BastionError) {
        self.configuration = configuration
        configurationPath = path
        self.logs = logs
        logger = logs.logger("pgbastion")
        metrics = NodeMetrics(cluster: configuration.cluster.name, certificates: configuration.certificateFiles)
        live = LiveSettings(configuration)
        for directory in [configuration.node.stateDirectory, configuration.node.runDirectory] {
            try makeDirectories(directory)
        }
        health = HealthHistory(path: configuration.node.stateDirectory + "/health-history.json")
        store = try RaftLogStore.open(
            directory: configuration.raft.dataDirectory, snapshotRetain: configuration.raft.snapshotRetain)
        try GenerationFile(path: configuration.node.generationFile).check(store)
        if mayBootstrap { try Daemon.bootstrapIfAsked(store, configuration) }
        let identity = store.identity
        let pledges = PledgeFile(stateDirectory: configuration.node.stateDirectory)
        let daemon = DaemonIncarnation(rawValue: .random(in: 1 ... .max))
        let node: BastionNode
        do {
            node = try BastionNode(
                identity: configuration.identity(identity, daemon: daemon), durable: try store.load(),
                settings: configuration.nodeSettings, pledgedBallot: try pledges.load(identity.clusterID),
                seed: .random(in: 1 ... .max), now: SystemClock.now())
        } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.corrupt, "the snapshot of the cluster state cannot be read", detail: "\(error)")
        }
        let effects = EffectRouter(logs: logs, metrics: metrics, pledges: pledges, cluster: identity.clusterID)
        self.effects = effects
        driver = NodeDriver(node: node, outside: effects, wallClock: wallClockMilliseconds)
        let submit: @Sendable (NodeInput) -> Void = { [driver] in driver.submit($0) }
        storage = StorageQueue(
            store: store, onPersisted: { submit(.persisted(through: $0)) },
            onProblem: { effects.log(NodeEvent(.error, "storage.problem", $0.message, ["detail": $0.detail ?? ""])) },
            onSnapshot: { [metrics] in metrics.noteSnapshot(seconds: $0.inSeconds) }, onFatal: { effects.fatal($0) })
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let peers = PeerDirectory(configuration: configuration, store: identity, daemon: daemon)
        transport = PeerTransport(
            settings: configuration.transportSettings, eventLoopGroup: group,
            handlers: PeerHandlers(peers: peers, storage: storage, driver: driver, effects: effects).handlers)
        let desk = NodeDesk()
        gateway = DaemonGateway(
            driver: driver, transport: transport, health: health, me: configuration.node.name, desk: desk)
        (postgres, guardLink) = Daemon.makePostgres(
            configuration, program: program, submit: submit, effects: effects, metrics: metrics, health: health,
            secrets: SecretsClient(driver: driver, transport: transport, member: identity.memberID),
            cluster: identity.clusterID)
        address = VirtualAddressLink.make(configuration, submit: submit, metrics: metrics)
        proxy = ProxyServer(
            settings: configuration.proxySettings, eventLoopGroup: group,
            deadline: { [guardLink] in guardLink?.isBeforeDeadline ?? true }, observer: { [metrics] in metrics.note($0) })
        let archives = ArchiveDesk(
            driver: driver, gateway: gateway, configurationPath: path, dataDirectory: configuration.postgresql?.dataDirectory,
            folder: configuration.node.stateDirectory)
        effects.connect(archives)
        api = try HTTPAPIServer(
            settings: configuration.apiSettings(
                token: { [live] in live.token },
                namedTokens: { [driver] in
                    await driver.look { node in
                        node.state.sortedTokens.map { .init(name: $0.name, role: $0.role, digest: $0.digest) }
                    }
                }),
            node: Daemon.apiNode(gateway, metrics, proxy, live, path, driver, logs, archives), logger: logger)
        live.onReload { [api, transport] configuration throws(BastionError) in
            try api.reloadCertificates(configuration.apiTLS)
            if configuration.raft.tls != nil { try transport.reloadCertificates() }
        }
        live.onApplied { [postgres] in
            guard let settings = $0.postgresql else { return }
            postgres?.setHealth(interval: settings.healthInterval, timeout: settings.healthTimeout)
        }
        desk.connect(
            NodeDesk.Services(
                view: { [gateway] in await gateway.view() },
                connections: { [proxy] in
                    proxy.sessions().map {
                        ProxySessions(backend: $0.backend.node, portType: $0.portType.rawValue, active: $0.count)
                    }
                },
                metrics: { [gateway, metrics, proxy] in metrics.render(await gateway.view(), proxy) },
                logs: { [logs] in logs.ring?.records($0) ?? [] },
                reload: { [live, driver] () async throws(BastionError) in try live.reload(path, driver, logs) },
                takeHold: { [gateway] (seconds, metadata) async throws(BastionError) in
                    try await gateway.local(.takeHold(seconds: seconds), metadata)
                },
                restart: { [signals] in signals.restart(holdSeconds: $0) }, incarnation: daemon.description,
                announceAddress: { [address, gateway] () async throws(BastionError) in
                    try VirtualAddressLink.announceAgain(address, await gateway.view())
                },
                diagnose: { [live, driver, transport, postgres, guardLink] topics in
                    await NodeInspection(
                        path: path, live: live, driver: driver, transport: transport, postgres: postgres, guardLink: guardLink
                    ).diagnosis(topics)
                },
                inspect: {
                    [inspector = NodeInspector(driver: driver, postgres: postgres)] (inspection, metadata) async throws(BastionError) in
                    try await inspector.answer(inspection, metadata)
                }))
        effects.connect(
            storage: storage, transport: transport, proxy: proxy, postgres: postgres, guardLink: guardLink,
            address: address, driver: driver, peers: peers, signals: signals)
        peers.connect(transport: transport, gateway: gateway, postgres: postgres?.server)
    }

    /// K06: a one-voter cluster, only in a directory without state.
    private static func bootstrapIfAsked(_ store: RaftLogStore, _ configuration: NodeConfiguration) throws(BastionError) {
        guard configuration.raft.bootstrap, store.identity.clusterID == nil else { return }
        let state = try store.load()
        guard state.entries.isEmpty, state.snapshot == nil else { return }
        try store.adopt(clusterID: ClusterID(rawValue: .random(in: 1 ... .max)), epoch: 1)
        try store.persist([BastionNode.bootstrapBatch(member: store.identity.memberID)])
    }

    private static func makePostgres(
        _ configuration: NodeConfiguration, program: String, submit: @escaping @Sendable (NodeInput) -> Void,
        effects: EffectRouter, metrics: NodeMetrics, health: HealthHistory, secrets: SecretsClient, cluster: ClusterID?
    ) -> (PostgresLink?, GuardLink?) {
        guard let settings = configuration.postgresql, let directory = settings.dataDirectory else { return (nil, nil) }
        let server = PostgresServer(configuration.postgresInput(settings, dataDirectory: directory))
        var guardArguments = configuration.guardArguments
        guardArguments.clusterID = cluster
        let link = PostgresLink(
            server: server, submit: submit,
            onCheck: { check in
                guard health.note(check, milliseconds: wallClockMilliseconds()) else { return }
                metrics.note(check)
                guard check.facts.server == nil else { return }
                let cause = check.facts.sqlError ?? "PostgreSQL does not run"
                effects.log(NodeEvent(.warning, "postgres.check_failed", "health check failed", ["cause": cause]))
            }, onRewind: { metrics.note($0) }, fetchSecrets: { await secrets.fetch() })
        link.setHealth(interval: settings.healthInterval, timeout: settings.healthTimeout)
        let guardLink = GuardLink(
            program: program, arguments: guardArguments, server: server, submit: submit,
            onEvent: { effects.log($0) }, onChange: { link.poke() })
        return (link, guardLink)
    }

    private static func apiNode(
        _ gateway: DaemonGateway, _ metrics: NodeMetrics, _ proxy: ProxyServer, _ live: LiveSettings, _ path: String,
        _ driver: NodeDriver, _ logs: LogControl, _ archives: ArchiveDesk
    ) -> APINode {
        var node = APINode(
            gateway: gateway,
            metricsText: { metrics.render(await gateway.view(), proxy) },
            reload: { () async throws(BastionError) in try live.reload(path, driver, logs) },
            connections: {
                proxy.sessions().map {
                    APINode.Connection(backend: $0.backend.node.rawValue, portType: $0.portType.rawValue, active: $0.count)
                }
            },
            isLive: { driver.millisecondsSinceStep < 2000 },
            recordRequest: { metrics.note(method: $0, path: $1, status: $2, seconds: $3) })
        node.archive = { (request, metadata) async throws(BastionError) in try await archives.build(request, metadata) }
        return node
    }
}
