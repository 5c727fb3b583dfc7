import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import FoundationEssentials
import Glibc
import RaftIO

/// One node's configuration and Raft directory, as the commands see them that replace the directory of a stopped daemon.
package struct RecoverySite: Sendable {
    package let configuration: NodeConfiguration
    package let configurationPath: String
    package let swap: DirectorySwap
    /// `root@host`
    package let by: String

    package var directory: String { swap.path }
    package var node: NodeName { configuration.node.name }
    var clusterName: String { configuration.cluster.name }

    /// - Throws: `.invalidConfiguration`.
    package init(
        configurationPath: String, passed: @escaping @Sendable (DirectorySwap.Step) -> Void = { _ in }
    ) throws(BastionError) {
        let configuration: NodeConfiguration
        do throws(ConfigurationErrors) {
            configuration = try ConfigurationFile.load(path: configurationPath, tokenFiles: .skip).configuration
        } catch {
            throw error.bastionError
        }
        self.init(configuration: configuration, configurationPath: configurationPath, passed: passed)
    }

    package init(
        configuration: NodeConfiguration, configurationPath: String,
        passed: @escaping @Sendable (DirectorySwap.Step) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.configurationPath = configurationPath
        swap = DirectorySwap(configuration.raft.dataDirectory, passed: passed)
        by = RecoverySite.caller()
    }

    /// Now, or the next second in which nothing was kept yet.
    func stamp() throws(BastionError) -> ArchiveTime {
        var time = ArchiveTime(seconds: wallClockMilliseconds() / 1000)
        var taken: [String] = []
        for kind in ["restore", "pre-restore", "pre-recover", "undone", "reset", "old-copy"] { taken += try swap.siblings(kind) }
        while taken.contains(where: { $0.hasSuffix("-\(time.compact)") }) { time.seconds += 1 }
        return time
    }

    /// Who the new directory belongs to: as the old one, else the service user.
    var owner: FileOwner? {
        if let owner = FileOwner(of: directory) { return owner }
        if let data = configuration.postgresql?.dataDirectory.flatMap({ FileOwner(of: $0) }), data.user != 0 { return data }
        return getpwnam("postgres").map { FileOwner(user: $0.pointee.pw_uid, group: $0.pointee.pw_gid) }
    }

    /// Refuses while a daemon runs, or another command replaces the directory. Changes nothing.
    func requireStopped() throws(BastionError) { try DirectoryHold.requireFree(configuration.raft.dataDirectory) }

    /// Nobody else uses or replaces the directory while this value lives.
    func hold() throws(BastionError) -> DirectoryHold {
        do throws(BastionError) { return try DirectoryHold(configuration.raft.dataDirectory) } catch { throw asCommandError(error) }
    }

    /// `host:port` of every other node that the configuration, the state and this machine's memory know.
    func otherMembers(in state: ClusterState?) -> [MemberProbe.Address] {
        var all = configuration.cluster.peers.map { MemberProbe.Address(name: nil, host: $0.host.text, port: $0.port.number) }
        all += RememberedMembers(configuration).load().map { .init(name: nil, host: $0.host, port: $0.port) }
        all += (state?.sortedNodes ?? []).filter { $0.name != node }.map { .init(name: $0.name, host: $0.host, port: $0.raftPort) }
        let own = MemberProbe.Address(name: nil, host: configuration.node.address.text, port: configuration.raft.bindPort.number)
        var found: [MemberProbe.Address] = []
        // The last one has the name, when several know the address.
        for address in all.reversed() where !address.isSamePlace(as: own) && !found.contains(where: { $0.isSamePlace(as: address) }) {
            found.append(address)
        }
        return found.sorted { ($0.name?.rawValue ?? "~", $0.host, $0.port) < ($1.name?.rawValue ?? "~", $1.host, $1.port) }
    }

    /// Step 13: room for the new directory where it is written.
    func requireRoom(for bytes: Int) throws(BastionError) {
        let folder = swap.isMountPoint ? directory : String(directory.prefix(upTo: directory.lastIndex(of: "/") ?? directory.startIndex))
        guard access(folder, W_OK) == 0 else {
            throw refusal(.io, "io", "the directory \"\(folder)\" cannot be written", detail: String(cString: strerror(errno)))
        }
        var space = statvfs()
        guard statvfs(folder, &space) == 0 else {
            throw refusal(.io, "io", "the file system of \"\(folder)\" cannot be examined", detail: String(cString: strerror(errno)))
        }
        let free = Int(space.f_bavail) * Int(space.f_frsize)
        guard free >= bytes else {
            throw refusal(.io, "no_space", "\"\(folder)\" has no room for the new directory", detail: "\(free) bytes free, \(bytes) needed")
        }
    }

    private static func caller() -> String {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(MachineInspection.userName(geteuid()) ?? "\(geteuid())")@\(name)"
    }
}

/// A refusal with the id that programs look for.
func refusal(
    _ code: ErrorCode, _ id: String, _ message: String, detail: String? = nil, hint: String? = nil, overridable: Bool = false
) -> BastionError {
    // Without a detail the check is named by whoever prints the error.
    BastionError(
        code, message, detail: detail.map { "check \(id): \($0)" }, hint: hint, checks: [FailedCheck(id: id, overridable: overridable)])
}

/// A full disk is 5 for a daemon, which tries again; for a command it is the end.
func asCommandError(_ error: BastionError) -> BastionError {
    guard error.code == .unavailable else { return error }
    return refusal(.io, "no_space", error.message, detail: error.detail, hint: "free disk space, then run the command again")
}
