/// One key whose value differs between two configurations.
package struct ConfigurationChange: Sendable, Hashable, CustomStringConvertible {
    package let key: String
    /// Hidden when it is a secret; nil when the key had, or has, no value.
    package let old: String?
    package let new: String?

    package var description: String { "\(key): \(old ?? "(none)") -> \(new ?? "(none)")" }
}

/// What a reload finds: some of it can be applied to a running daemon, the rest waits for a restart.
package struct ConfigurationChanges: Sendable, Hashable {
    package let reloadable: [ConfigurationChange]
    package let needsRestart: [ConfigurationChange]

    package var isEmpty: Bool { reloadable.isEmpty && needsRestart.isEmpty }

    package init(from old: NodeConfiguration, to new: NodeConfiguration) {
        let before = Dictionary(old.entries.map { ($0.key, $0) }) { first, _ in first }
        let after = Dictionary(new.entries.map { ($0.key, $0) }) { first, _ in first }
        let keys = Set(before.keys).union(after.keys).sorted().filter { before[$0] != after[$0] }
        let changes = keys.map { ConfigurationChange(key: $0, old: before[$0]?.value, new: after[$0]?.value) }
        reloadable = changes.filter { ConfigurationChanges.isReloadable($0.key) }
        needsRestart = changes.filter { !ConfigurationChanges.isReloadable($0.key) }
    }

    /// Certificates are read again on every reload, also when their paths stay the same.
    static func isReloadable(_ key: String) -> Bool {
        let keys = [
            "api.auth_token", "api.auth_token_file", "api.tls_cert", "api.tls_key", "api.tls_ca", "raft.tls_cert", "raft.tls_key",
            "raft.tls_ca",
        ]
        let prefixes = ["log.", "failover.", "postgresql.health_", "backup."]
        return keys.contains(key) || prefixes.contains { key.hasPrefix($0) }
    }
}

extension NodeConfiguration {
    /// This configuration with what a reload may take over from `new`; everything else stays.
    package func reloaded(from new: NodeConfiguration) -> NodeConfiguration {
        var result = self
        result.log = new.log
        result.failover = new.failover
        result.backup = new.backup
        result.api.authToken = new.api.authToken
        result.api.authTokenFile = new.api.authTokenFile
        if api.tls != nil, let tls = new.api.tls { result.api.tls = tls }
        if raft.tls != nil, let tls = new.raft.tls { result.raft.tls = tls }
        if let fresh = new.postgresql {
            result.postgresql?.healthInterval = fresh.healthInterval
            result.postgresql?.healthTimeout = fresh.healthTimeout
        }
        return result
    }
}
