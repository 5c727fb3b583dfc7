import CLinux
import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import RaftIO
import Telemetry

/// `pgbastion serve`.
package enum DaemonEntry {
    /// What this process may do with network addresses is not for the programs it starts. Before it has a second thread.
    package static func keepCapabilitiesPrivate() { VirtualAddressLink.keepCapabilitiesPrivate() }

    /// Reads the configuration, runs the daemon, and returns its exit status.
    package static func serve(configurationPath path: String) async throws(BastionError) -> Int32 {
        let loaded: LoadedConfiguration
        do throws(ConfigurationErrors) { loaded = try ConfigurationFile.load(path: path) } catch {
            throw error.bastionError
        }
        let configuration = loaded.configuration
        guard getuid() != 0 || configuration.kind == .witness else {
            throw BastionError(
                .invalidConfiguration, "the daemon cannot run as root",
                detail: "PostgreSQL refuses to run as root, and the daemon starts it as its own user",
                hint: "start it as the owner of the data directory, for instance with the shipped systemd unit")
        }
        raiseFileLimit()
        let environment = ProcessInfo.processInfo.environment
        let logs = LogControl(
            node: configuration.node.name, level: LogLine.Level(rawValue: configuration.log.level.rawValue) ?? .info,
            format: LogLine.Format(rawValue: configuration.log.format.rawValue) ?? .text,
            output: LogControl.output(journalStream: environment["JOURNAL_STREAM"]), ring: LogRing(node: configuration.node.name))
        for warning in loaded.warnings { logs.write(.warn, "\(warning)", ["event": "config.warning"]) }
        if let postgres = configuration.postgresql {
            logs.write(.info, "PostgreSQL uses port \(postgres.port) (\(postgres.portOrigin.rawValue))", ["event": "config.port"])
        }
        // K04: another daemon of this node holds the ports as well; it is what has to be named.
        try RaftLogStore.requireUnused(directory: configuration.raft.dataDirectory)
        try DirectorySwap.refuseUnfinished(configuration.raft.dataDirectory)
        try ProxyPortCheck(configuration: configuration).check()
        let site = RecoverySite(configuration: configuration, configurationPath: path)
        let copy = try await OldCopy(site: site, log: { logs.write($0, $1, $2) }).resolve()
        var rejoin: RejoinRequest?
        if case .rejoins(let members)? = copy { rejoin = RejoinRequest(configuration: configuration, members: members) }
        // A node that rejoins founds nothing.
        let mayBootstrap = rejoin == nil ? try await mayBootstrap(configuration, logs) : false
        let daemon = try Daemon(
            configuration: configuration, path: path, program: ownProgram(), mayBootstrap: mayBootstrap, logs: logs)
        return try await daemon.run(asking: rejoin)
    }

    private static func mayBootstrap(_ configuration: NodeConfiguration, _ logs: LogControl) async throws(BastionError) -> Bool {
        guard configuration.raft.bootstrap else { return false }
        let kept = [".", "lost+found"]  // Directories kept inside of a mount point, and what a file system makes.
        guard TextFiles.entries(configuration.raft.dataDirectory).allSatisfy({ name in kept.contains { name.hasPrefix($0) } }) else {
            logs.write(.info, "raft.bootstrap has no effect: there is Raft state already", ["event": "raft.bootstrap_ignored"])
            return true  // A directory without a cluster founds one; with state nothing happens.
        }
        guard let (address, hello) = try await BootstrapCheck(configuration: configuration).runningCluster() else { return true }
        logs.write(
            .warn, "no second cluster is founded: \(hello.nodeName) at \(address) answers for cluster \(hello.clusterID?.short ?? "")",
            ["event": "raft.bootstrap_refused", "hint": "add this node with `pgbastion peer add`"])
        return false
    }

    /// This binary; a replaced file is still reached through the running process.
    package static func ownProgram() -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments.first ?? "pgbastion" }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.hasSuffix(" (deleted)") ? String(path.dropLast(10)) : path
    }

    /// PX7: 10,000 sessions need two descriptors each.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
