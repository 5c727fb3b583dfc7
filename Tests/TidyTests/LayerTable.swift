/// Who may import whom: the table of `docs/architecture.md`, with the deviations of `docs/decisions/`.
enum LayerTable {
    /// Modules of the system and the toolchain that adapters and what is above them may use.
    static let systemModules: Set<String> = ["Glibc", "Dispatch", "Synchronization"]

    struct Layer {
        let level: Int
        let modules: Set<String>
    }

    private static let nio: Set<String> = ["NIOCore", "NIOPosix"]

    static let layers: [String: Layer] = [
        "ClusterModel": Layer(level: 0, modules: []),
        "RaftCore": Layer(level: 0, modules: []),
        "FailoverCore": Layer(level: 1, modules: ["ClusterModel"]),
        "NodeCore": Layer(level: 1, modules: ["ClusterModel", "RaftCore", "FailoverCore"]),
        "Operations": Layer(level: 2, modules: ["ClusterModel"]),
        "Runbooks": Layer(level: 2, modules: ["ClusterModel", "Operations"]),
        // Decision 0003: the store speaks of nodes and clusters, and digests what it keeps.
        "RaftIO": Layer(
            level: 3,
            modules: nio.union([
                "RaftCore", "ClusterModel", "CSQLite", "CLinux", "Crypto", "NIOSSL", "NIOFoundationEssentialsCompat",
            ])),
        "PostgresControl": Layer(level: 3, modules: ["ClusterModel", "CLibPQ", "CLinux", "Subprocess"]),
        // Decision 0002: GuardCore is pure and lives in FailoverCore.
        "Guard": Layer(level: 3, modules: ["ClusterModel", "FailoverCore", "CLinux"]),
        "ProxyServer": Layer(level: 3, modules: nio.union(["ClusterModel"])),
        "VirtualIP": Layer(level: 3, modules: ["ClusterModel", "CLinux"]),
        // CLinux: a rename that never replaces, and the lock of the directory.
        "BackupArchive": Layer(level: 3, modules: ["ClusterModel", "CLibArchive", "CLinux", "Crypto"]),
        "ConfigFiles": Layer(level: 3, modules: ["ClusterModel", "CLibYAML"]),
        "Telemetry": Layer(level: 3, modules: ["ClusterModel", "Logging", "Metrics", "CoreMetrics"]),
        // Decision 0004: TLS and token comparison need their libraries.
        "HTTPAPI": Layer(
            level: 4,
            modules: nio.union([
                "ClusterModel", "Operations", "HummingbirdCore", "Crypto", "NIOSSL", "NIOHTTP1", "HTTPTypes", "Logging",
                "ServiceLifecycle",
            ])),
        "CommandLineInterface": Layer(level: 4, modules: ["ClusterModel", "Operations", "Runbooks", "ArgumentParser"]),
        // Decision 0007: transport and proxy share one event loop group.
        "Bastion": Layer(
            level: 5,
            modules: nio.union([
                "ClusterModel", "RaftCore", "FailoverCore", "NodeCore", "Operations", "RaftIO", "PostgresControl",
                "Guard",
                "ProxyServer", "VirtualIP", "BackupArchive", "ConfigFiles", "Telemetry", "HTTPAPI", "Runbooks", "CLinux",
                "ServiceLifecycle", "Logging",
                "Metrics",
            ])),
        // Decision 0007: local commands answer with the catalogue's JSON values.
        "pgbastion": Layer(level: 6, modules: ["Bastion", "CommandLineInterface", "ClusterModel", "Operations", "Runbooks"]),
        // The seams of reliability tests.
        "RaftStep": Layer(level: 6, modules: ["RaftCore", "RaftIO", "ClusterModel"]),
        "LinKV": Layer(level: 6, modules: ["RaftCore", "RaftIO", "ClusterModel"]),
    ]

    /// Everything a file of `target` may import; nil for a target the table does not know.
    static func allowed(in target: String) -> Set<String>? {
        guard let layer = layers[target] else { return nil }
        var modules = layer.modules
        // Decision 0001.
        if target != "RaftCore" { modules.insert("FoundationEssentials") }
        return layer.level >= 3 ? modules.union(systemModules) : modules
    }
}
