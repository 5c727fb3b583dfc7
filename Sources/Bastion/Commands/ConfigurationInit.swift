import CLinux
import ClusterModel
import ConfigFiles
import Glibc

/// Writes the configuration file of a new node, and its token.
package struct ConfigurationInit: Sendable {
    package var node: String
    package var address: String
    package var bootstraps = false
    package var join: String?
    package var file: String
    package var replaces = false
    /// `KEY=VALUE`; an empty value leaves the key out.
    package var settings: [String] = []
    /// Told to the operator: what was found, what will differ.
    package var log: @Sendable (String) -> Void

    package struct Result: Sendable {
        package var path: String
        package var tokenFile: String
        /// What to do next, as commands.
        package var next: [String]
    }

    package init(node: String, address: String, file: String, log: @escaping @Sendable (String) -> Void) {
        self.node = node
        self.address = address
        self.file = file
        self.log = log
    }

    package func run() async throws(BastionError) -> Result {
        guard !(bootstraps && join != nil) else { throw BastionError(.usage, "--bootstrap and --join exclude each other") }
        let old = TextFiles.read(file)
        let exists = access(file, F_OK) == 0
        guard !exists || replaces else {
            throw BastionError(
                .preconditionFailed, "the file \"\(file)\" exists", detail: "Nothing was written.",
                hint: "look at it with `pgbastion config show`, or replace it with --force")
        }
        var values = machineValues()
        try apply(settings, to: &values)
        if let join { try await adopt(join, &values) }
        try apply(settings, to: &values)
        let text = ConfigurationText(values).text
        let configuration = try check(text)
        if exists { try tellDifference(from: old, to: configuration) }
        try write(text, configuration, keepingOld: exists ? old : nil)
        return Result(path: file, tokenFile: configuration.api.authTokenFile ?? "", next: next(configuration))
    }

    // MARK: Values

    /// What this node is, and what is on this machine.
    private func machineValues() -> [String: String] {
        var values = [
            "version": "1", "cluster.name": "main", "node.name": node, "node.address": address, "raft.bootstrap": "\(bootstraps)",
            "api.auth_token_file": (file.hasPrefix("/") ? directory(file) : currentDirectory()) + "/api-token",
        ]
        if let found = DebianLayout.newest() {
            values["postgresql.bin_dir"] = found.binDirectory
            values["postgresql.data_dir"] = found.dataDirectory
            log(
                "PostgreSQL \(found.version): programs in \(found.binDirectory), data in \(found.dataDirectory)"
                    + (found.hasData ? ", which holds data already" : ", still to be made"))
        } else {
            log("no PostgreSQL was found below \(DebianLayout.programs): this node becomes a witness unless you give it one with --set")
        }
        return values
    }

    private func apply(_ settings: [String], to values: inout [String: String]) throws(BastionError) {
        let known = Set(ConfigurationFile.knownKeys)
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, known.contains(parts[0]) else {
                throw BastionError(.usage, "--set \(setting): it must be KEY=VALUE with a key of the configuration file")
            }
            values[parts[0]] = parts[1].isEmpty ? nil : parts[1]
        }
    }

    /// What concerns the whole cluster, from a member; values that are defaults are not written.
    private func adopt(_ member: String, _ values: inout [String: String]) async throws(BastionError) {
        let own = try check(ConfigurationText(values).text)
        let shared = try await SharedConfiguration.fetch(from: member, own: own)
        let defaults = Dictionary(own.entries.map { ($0.key, $0.value) }) { first, _ in first }
        // What only makes sense together with a key of the node's own: certificates, the interface of the virtual address.
        let needMore = shared.values.filter { $0.key.hasPrefix("vip.") || ($0.key == "raft.tls_enabled" && $0.value == "true") }
        for value in shared.values where !needMore.contains(value) && defaults[value.key] != value.value {
            if value.key.hasPrefix("postgresql."), values["postgresql.bin_dir"] == nil { continue }
            values[value.key] = value.value
            log("\(value.key): \(value.value), as the cluster has it")
        }
        for value in needMore { log("the cluster has \(value.key): \(value.value); add it with what it needs on this node") }
        if !member.contains("://") { values["cluster.peers"] = "[\(member)]" }
    }

    private func check(_ text: String) throws(BastionError) -> NodeConfiguration {
        do throws(ConfigurationErrors) {
            return try ConfigurationFile.parse(text: text, file: file, tokenFiles: .skip).configuration
        } catch {
            throw error.bastionError
        }
    }

    // MARK: Files

    private func tellDifference(from old: String?, to new: NodeConfiguration) throws(BastionError) {
        guard let old else { return log("\(file) cannot be read; it is replaced") }
        do throws(ConfigurationErrors) {
            let before = try ConfigurationFile.parse(text: old, file: file, tokenFiles: .skip).configuration
            let changes = ConfigurationChanges(from: before, to: new)
            let all = (changes.reloadable + changes.needsRestart).sorted { $0.key < $1.key }
            for change in all { log("\(change)") }
            if all.isEmpty { log("no key changes its value") }
        } catch {
            log("\(file) was not valid; it is replaced")
        }
    }

    private func write(_ text: String, _ configuration: NodeConfiguration, keepingOld old: String?) throws(BastionError) {
        if file.hasPrefix("/") { try makeDirectories(directory(file)) }
        let owner = owner(configuration)
        if let old { try TextFiles.write(old, to: file + ".old", mode: 0o640) }
        try TextFiles.write(text, to: file, mode: 0o640)
        chmod(file, 0o640)
        if let owner { chown(file, 0, owner.pw_gid) }
        guard let token = configuration.api.authTokenFile, access(token, F_OK) != 0 else { return }
        let digits = (0..<32).map { _ in
            let byte = UInt8.random(in: 0...255)
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        try TextFiles.write(digits.joined() + "\n", to: token, mode: 0o600)
        chmod(token, 0o600)
        if let owner { chown(token, owner.pw_uid, owner.pw_gid) }
    }

    /// Root writes for the service user: the owner of the data, else `postgres`.
    private func owner(_ configuration: NodeConfiguration) -> passwd? {
        guard geteuid() == 0 else { return nil }
        let status = configuration.postgresql?.dataDirectory.flatMap { MachineInspection.status($0) }
        if let status, status.st_uid != 0 { return getpwuid(status.st_uid)?.pointee }
        return getpwnam("postgres")?.pointee
    }

    private func next(_ configuration: NodeConfiguration) -> [String] {
        let start = ["pgbastion doctor --pre", "systemctl start pgbastion"]
        guard !bootstraps else { return start + ["pgbastion raft"] }
        let port = configuration.raft.bindPort == 8300 ? "" : ":\(configuration.raft.bindPort)"
        return start + ["on any member: pgbastion peer add \(node) \(address)\(port)"]
    }

    private func directory(_ path: String) -> String {
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        return "/" + parent
    }

    private func currentDirectory() -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getcwd(&buffer, buffer.count) != nil else { return "/etc/pgbastion" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// PostgreSQL where Debian's packages put it.
struct DebianLayout {
    static let programs = "/usr/lib/postgresql"
    static let clusters = "/var/lib/postgresql"

    var version: Int
    var binDirectory: String
    var dataDirectory: String
    var hasData: Bool

    /// The newest version with data, else the newest with programs; nil when there are no programs.
    static func newest(programs: String = DebianLayout.programs, clusters: String = DebianLayout.clusters) -> DebianLayout? {
        let versions = TextFiles.entries(programs).compactMap { Int($0) }.sorted(by: >).filter {
            access("\(programs)/\($0)/bin/postgres", X_OK) == 0
        }
        let found = versions.map { version in
            let data = "\(clusters)/\(version)/main"
            // The directory of another user cannot be looked into; that it is there says enough.
            let isThere = MachineInspection.status(data) != nil
            let isEmpty = access(data, R_OK | X_OK) == 0 && TextFiles.entries(data).isEmpty
            return DebianLayout(
                version: version, binDirectory: "\(programs)/\(version)/bin", dataDirectory: data, hasData: isThere && !isEmpty)
        }
        return found.first { $0.hasData } ?? found.first
    }
}

/// A configuration file from `section.key` and value.
struct ConfigurationText {
    private static let order = [
        "version", "cluster", "node", "raft", "proxy", "vip", "api", "metrics", "log", "postgresql", "failover", "watchdog", "synchronous",
        "backup", "standby_cluster", "tracing",
    ]
    let values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    var text: String {
        var root = Tree()
        for (key, value) in values { root.insert(key.split(separator: ".").map(String.init)[...], value) }
        return "# Written by `pgbastion config init`; every other key has its default: `pgbastion config show --effective`.\n"
            + root.lines(indent: 0, order: ConfigurationText.order).joined(separator: "\n") + "\n"
    }

    private struct Tree {
        var value: String?
        var children: [String: Tree] = [:]

        mutating func insert(_ path: ArraySlice<String>, _ value: String) {
            guard let first = path.first else { return self.value = value }
            children[first, default: Tree()].insert(path.dropFirst(), value)
        }

        func lines(indent: Int, order: [String]) -> [String] {
            let margin = String(repeating: " ", count: indent)
            let names = children.keys.sorted { a, b in
                (order.firstIndex(of: a) ?? order.count, a) < (order.firstIndex(of: b) ?? order.count, b)
            }
            return names.flatMap { name -> [String] in
                guard let child = children[name] else { return [] }
                if let value = child.value { return ["\(margin)\(name): \(ConfigurationText.scalar(value))"] }
                return ["\(margin)\(name):"] + child.lines(indent: indent + 2, order: [])
            }
        }
    }

    /// Plain where YAML allows it; a list `[a, b]` keeps its brackets.
    static func scalar(_ value: String) -> String {
        if value.hasPrefix("["), value.hasSuffix("]") {
            let parts = value.dropFirst().dropLast().split(separator: ",").map { $0.drop { $0 == " " } }
            return "[" + parts.map { scalar(String($0)) }.joined(separator: ", ") + "]"
        }
        let isPlain =
            value.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [UInt8(ascii: "."), 0x2F, 0x5F, 0x2D].contains($0)
            } && !value.hasPrefix("-")
        // A plain colon is fine inside a word: addresses and durations stay readable; everything else is quoted.
        if isPlain { return value }
        return "\"" + value.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
