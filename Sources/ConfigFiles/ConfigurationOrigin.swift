import ClusterModel

/// Where the value of a key comes from.
package enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
    case file(String, TextPosition)
    /// The file gives another key, and this one follows from it.
    case derived(from: String)
    case standard

    package var description: String {
        switch self {
        case .file(let file, let position): "\(file):\(position.line)"
        case .derived(let key): "from \(key)"
        case .standard: "default"
        }
    }
}

extension LoadedConfiguration {
    package func origin(of key: String, file: String) -> ConfigurationOrigin {
        if let position = positions[key] { return .file(file, position) }
        let source = LoadedConfiguration.sources[key]
        if let source, positions[source] != nil {
            // The default port beside a proxy on 5432 does not come from the DSN.
            if key != "postgresql.port" || configuration.postgresql?.portOrigin == .connectDSN { return .derived(from: source) }
        }
        return .standard
    }

    /// Whether the file itself gives this key.
    package func isWritten(_ key: String) -> Bool { positions[key] != nil }

    /// Keys whose default is taken from another key.
    private static let sources = [
        "raft.data_dir": "node.state_dir", "api.socket": "node.run_dir", "metrics.bind_address": "api.bind_address",
        "postgresql.port": "postgresql.connect_dsn", "api.auth_token": "api.auth_token_file",
    ]
}

extension ConfigurationEntry {
    /// Whether all nodes of a cluster should have the same value: what concerns consensus, lease, failover and the data.
    /// Everything else (names, addresses, paths, ports, tokens) is the node's own.
    package static func isClusterWide(_ key: String) -> Bool {
        let keys = [
            "version", "cluster.name", "raft.election_timeout", "raft.heartbeat_interval", "raft.tls_enabled",
            "proxy.replica_max_lag", "vip.address", "vip.follows", "watchdog.mode", "postgresql.superuser",
            "postgresql.replication_user", "backup.max_age",
        ]
        let prefixes = ["failover.", "synchronous.", "standby_cluster."]
        return keys.contains(key) || prefixes.contains { key.hasPrefix($0) }
    }
}
