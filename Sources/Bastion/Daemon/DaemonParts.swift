import ClusterModel
import ConfigFiles
import FailoverCore
import Glibc
import Guard
import HTTPAPI
import NodeCore
import Operations
import PostgresControl
import ProxyServer
import RaftCore
import RaftIO

/// From the configuration's words to each adapter's own settings.
extension NodeConfiguration {
    /// A node whose address is a loopback address keeps everything on it; others listen on all addresses.
    var listenHosts: [String] { isLoopback ? [node.address.text] : ["0.0.0.0"] }
    private var isLoopback: Bool { node.address.text.hasPrefix("127.") || node.address.text == "::1" || node.address.text == "localhost" }

    var transportSettings: TransportSettings {
        var settings = TransportSettings(
            bindHosts: listenHosts, port: raft.bindPort.number,
            tls: raft.tls.map {
                TransportTLS(certificatePath: $0.certificateFile, keyPath: $0.keyFile, caPath: $0.authorityFile)
            })
        // Longer waits than the transport's own would only delay the next attempt.
        settings.connectTimeout = min(settings.connectTimeout, raft.transportTimeout)
        settings.handshakeTimeout = min(settings.handshakeTimeout, raft.transportTimeout)
        return settings
    }

    var proxySettings: ProxySettings {
        ProxySettings(
            bindHosts: listenHosts, primaryPort: proxy.primaryPort.number, replicaPort: proxy.replicaPort.number,
            localNode: node.name, connectTimeout: proxy.connectTimeout, drainTimeout: proxy.drainTimeout,
            ownAddresses: [node.address.text])
    }

    func apiSettings(
        token: @escaping @Sendable () -> [UInt8]?,
        namedTokens: @escaping @Sendable () async -> [AccessControl.NamedToken]
    ) -> APISettings {
        let protects = api.protectReads
        return APISettings(
            binds: api.bindAddresses.map { APISettings.Bind(host: $0.description, port: api.port.number) },
            metricsBinds: metrics.bindAddresses.map { APISettings.Bind(host: $0.description, port: metrics.port.number) },
            socketPath: api.socket, socketGroup: getgrnam("pgbastion")?.pointee.gr_gid, token: token,
            namedTokens: namedTokens, protectReads: { protects }, tls: apiTLS,
            shutdownTimeout: api.shutdownTimeout)
    }

    var apiTLS: APISettings.TLSFiles? {
        api.tls.map {
            APISettings.TLSFiles(certificate: $0.certificateFile, key: $0.keyFile, authority: $0.authorityFile)
        }
    }

    /// X13: where others reach this node's API: the address it is bound to, or the node's when it is bound to all.
    var apiURL: String {
        let bound = api.bindAddresses.first.map(\.description) ?? node.address.text
        let host = bound == "0.0.0.0" || bound == "::" ? node.address.text : bound
        return "\(api.tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(api.port.number)"
    }

    var guardArguments: GuardArguments {
        GuardArguments(
            stateDirectory: node.stateDirectory, runDirectory: node.runDirectory,
            dataDirectory: postgresql?.dataDirectory ?? node.stateDirectory + "/no-data")
    }

    func postgresInput(_ postgres: PostgreSQL, dataDirectory: String) -> PostgresSettingsInput {
        let socket = postgres.connection.isSocketDirectory ? postgres.connection.host : node.runDirectory
        var input = PostgresSettingsInput(
            binDirectory: postgres.binDirectory ?? "/usr/lib/postgresql/15/bin", dataDirectory: dataDirectory,
            stateDirectory: node.stateDirectory, socketDirectory: socket, port: postgres.port.number,
            listenAddresses: isLoopback ? [node.address.text] : ["*"],
            logFile: node.stateDirectory + "/postgresql/postgresql.log")
        input.superuser = postgres.superuser
        input.replicationUser = postgres.replicationUser
        input.clusterName = cluster.name
        input.cloneMaxRate = postgres.cloneMaxRate.map { "\($0.bytes / 1024)k" }
        input.managesHBA = postgres.managesHBA
        input.healthTimeout = postgres.healthTimeout
        return input
    }

    var nodeSettings: NodeSettings {
        var settings = NodeSettings()
        settings.raft.electionTicks = Int(raft.electionTimeout.inMilliseconds / 10)
        settings.raft.heartbeatTicks = max(1, Int(raft.heartbeatInterval.inMilliseconds / 10))
        settings.raft.checkQuorumTicks = max(1, settings.raft.electionTicks * 2 - 20)
        settings.policy = policySettings
        settings.virtualAddress = virtualAddressSettings
        return settings
    }

    var policySettings: PolicySettings {
        var p = PolicySettings()
        p.confirmationPeriod = failover.confirmationPeriod
        p.maxLagBytes = failover.maxLagThreshold?.bytes ?? 0
        p.unresponsiveAfter = failover.unresponsiveAfter
        p.primaryStartTimeout = failover.primaryStartTimeout
        p.promoteTimeout = failover.promoteTimeout
        p.degradeAfter = synchronous.degradeAfter
        p.synchronousMode = synchronous.mode.flatMap { SynchronousMode(rawValue: $0.rawValue) }
        p.leaseMilliseconds = failover.primaryLease.inMilliseconds
        p.pauseLeaseMilliseconds = failover.pauseLease.inMilliseconds
        p.replicaMaxLagBytes = proxy.replicaMaxLag.bytes
        p.restartHoldMilliseconds = failover.restartHold.inMilliseconds
        p.standbyUpstream = standbyCluster.map { StandbyUpstream(host: $0.host.text, port: $0.port.number, slot: $0.slot) }
        switch failover.onPostmasterCrash {
        case .auto: p.onPostmasterCrash = .auto
        case .restart: p.onPostmasterCrash = .restart
        case .promote: p.onPostmasterCrash = .promote
        }
        return p
    }

    func identity(_ store: StableIdentity, daemon: DaemonIncarnation) -> NodeIdentity {
        var identity = NodeIdentity(
            name: node.name, memberID: store.memberID, daemon: daemon, host: node.address.text,
            raftPort: raft.bindPort.number, postgresPort: postgresql?.port.number ?? 5432, kind: kind,
            clusterName: cluster.name, clusterID: store.clusterID, mayInitialise: raft.bootstrap,
            version: ReportedVersion.value)
        identity.apiURL = apiURL
        return identity
    }
}
