// swift-tools-version: 6.2
import PackageDescription

// The layers of docs/architecture.md. Tests/TidyTests compares the imports of every file with this table.

/// Settings of every target: Swift 6 mode comes from the tools version; a warning is an error.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// The pure core is optimised in debug builds as well: the simulator runs thousands of cluster-minutes through it.
let pure: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Commands, documents and wiring: most of the binary, and no loop in it is hot.
let compact: [SwiftSetting] = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }

let package = Package(
    name: "pgbastion",
    products: [
        .executable(name: "pgbastion", targets: ["pgbastion"]),
        .executable(name: "pgbastion-raftstep", targets: ["RaftStep"]),
        .executable(name: "pgbastion-lin-kv", targets: ["LinKV"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.0", traits: []),
    ],
    targets: [
        // L6
        .executableTarget(
            name: "pgbastion",
            dependencies: ["Bastion", "CommandLineInterface", "Runbooks", "Operations", "ClusterModel"],
            swiftSettings: compact),
        // L5
        .target(
            name: "Bastion",
            dependencies: [
                "ClusterModel", "RaftCore", "FailoverCore", "NodeCore", "Operations", "RaftIO", "PostgresControl",
                "Guard", "ProxyServer", "VirtualIP", "BackupArchive", "ConfigFiles", "Telemetry", "HTTPAPI", "Runbooks",
                "CLinux",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: compact),
        // L4
        .target(
            name: "HTTPAPI",
            dependencies: [
                "ClusterModel", "Operations",
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
            ],
            swiftSettings: compact),
        .target(
            name: "CommandLineInterface",
            dependencies: [
                "ClusterModel", "Operations", "Runbooks",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: compact),
        // L3
        .target(
            name: "RaftIO",
            dependencies: [
                "RaftCore", "ClusterModel", "CSQLite", "CLinux",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                nio("NIOCore"), nio("NIOPosix"), nio("NIOFoundationEssentialsCompat"),
            ],
            swiftSettings: strict),
        .target(
            name: "PostgresControl",
            dependencies: [
                "ClusterModel", "CLibPQ", "CLinux",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: compact),
        .target(name: "Guard", dependencies: ["ClusterModel", "FailoverCore", "CLinux"], swiftSettings: strict),
        .target(
            name: "ProxyServer",
            dependencies: ["ClusterModel", nio("NIOCore"), nio("NIOPosix")],
            swiftSettings: strict),
        .target(name: "VirtualIP", dependencies: ["ClusterModel", "CLinux"], swiftSettings: strict),
        .target(name: "ConfigFiles", dependencies: ["ClusterModel", "CLibYAML"], swiftSettings: compact),
        .target(
            name: "Telemetry",
            dependencies: [
                "ClusterModel",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: compact),
        .target(
            name: "BackupArchive",
            dependencies: ["ClusterModel", "CLibArchive", "CLinux", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: pure),
        // L2
        .target(name: "Operations", dependencies: ["ClusterModel"], swiftSettings: compact),
        .target(name: "Runbooks", dependencies: ["ClusterModel", "Operations"], swiftSettings: compact),
        // L1
        .target(name: "FailoverCore", dependencies: ["ClusterModel"], swiftSettings: pure),
        .target(name: "NodeCore", dependencies: ["ClusterModel", "RaftCore", "FailoverCore"], swiftSettings: pure),
        // L0
        .target(name: "ClusterModel", swiftSettings: pure),
        .target(name: "RaftCore", swiftSettings: pure),
        // C
        .target(name: "CLinux"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // Test products: the seams of reliability.md, over the shipped core and store.
        .executableTarget(name: "RaftStep", dependencies: ["RaftCore", "RaftIO", "ClusterModel"], swiftSettings: strict),
        .executableTarget(name: "LinKV", dependencies: ["RaftCore", "RaftIO", "ClusterModel"], swiftSettings: strict),
        // Test support
        .target(
            name: "SimulationKit", dependencies: ["ClusterModel", "RaftCore", "FailoverCore", "NodeCore"],
            path: "Tests/Support/SimulationKit", swiftSettings: pure),
        .target(
            name: "PostgresTestKit", dependencies: ["ClusterModel", "CLibPQ", "CLinux"],
            path: "Tests/Support/PostgresTestKit", swiftSettings: strict),
        .target(name: "Stories", path: "Tests/Support/Stories", swiftSettings: strict),
        // Tests
        .testTarget(name: "ClusterModelTests", dependencies: ["ClusterModel"], swiftSettings: strict),
        .testTarget(
            name: "RaftCoreTests", dependencies: ["RaftCore", "Stories"],
            exclude: ["Stories"], swiftSettings: strict),
        .testTarget(
            name: "FailoverCoreTests", dependencies: ["FailoverCore", "ClusterModel", "Stories"], swiftSettings: strict),
        .testTarget(
            name: "NodeCoreTests", dependencies: ["NodeCore", "FailoverCore", "RaftCore", "ClusterModel"],
            swiftSettings: strict),
        .testTarget(
            name: "RaftIOTests", dependencies: ["RaftIO", "RaftCore", "ClusterModel", "LinKV"],
            swiftSettings: strict),
        .testTarget(name: "RaftStepTests", dependencies: ["RaftStep", "RaftCore"], swiftSettings: strict),
        .testTarget(
            name: "PostgresControlTests", dependencies: ["PostgresControl", "PostgresTestKit", "ClusterModel"],
            swiftSettings: strict),
        .testTarget(name: "GuardTests", dependencies: ["Guard", "ClusterModel", "FailoverCore", "PostgresTestKit"], swiftSettings: strict),
        .testTarget(
            name: "ProxyServerTests", dependencies: ["ProxyServer", "ClusterModel", nio("NIOCore"), nio("NIOPosix")],
            swiftSettings: strict),
        .testTarget(
            name: "VirtualIPTests", dependencies: ["VirtualIP", "ClusterModel", "CLinux", "PostgresTestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "BackupArchiveTests", dependencies: ["BackupArchive", "ClusterModel", "CLibArchive", "CLinux"],
            swiftSettings: strict),
        .testTarget(name: "ConfigFilesTests", dependencies: ["ConfigFiles", "ClusterModel"], swiftSettings: strict),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["Telemetry", "ClusterModel", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .testTarget(
            name: "OperationsTests", dependencies: ["Operations", "ClusterModel"], exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "BastionTests",
            dependencies: ["Bastion", "FailoverCore", "ClusterModel", "BackupArchive", "NodeCore", "Operations", "RaftCore", "RaftIO"],
            swiftSettings: strict),
        .testTarget(
            name: "RunbooksTests", dependencies: ["Runbooks", "ConfigFiles", "Operations", "ClusterModel"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPAPITests",
            dependencies: [
                "HTTPAPI", "Operations", "ClusterModel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GoldenTests", dependencies: ["CommandLineInterface", "Operations", "ClusterModel"],
            exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["SimulationKit", "NodeCore", "FailoverCore", "RaftCore", "ClusterModel"],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(
            name: "ScenarioTests",
            dependencies: [
                "Bastion", "BackupArchive", "CLibPQ", "ClusterModel", "FailoverCore", "HTTPAPI", "NodeCore", "PostgresControl",
                "PostgresTestKit", "RaftIO", "RaftCore",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GuideTests", dependencies: ["PostgresTestKit"],
            exclude: ["Machine", "operations-guide.md"], swiftSettings: strict),
    ]
)
