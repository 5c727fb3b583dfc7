import ClusterModel
import Glibc

/// Our marked parts of the operator's files: one line of `postgresql.conf`, one block each of `pg_hba.conf` and
/// `pg_ident.conf`. Everything else in them is left as it is.
struct LocalConfiguration: Sendable {
    static let begin = "# pgbastion: begin (written by pgbastion, changes are overwritten)"
    static let end = "# pgbastion: end"
    static let includeMark = "# pgbastion: keep this line last"
    static let identMap = "pgbastion"

    let input: PostgresSettingsInput
    let layout: ConfigurationLayout
    let members: [String]

    /// Brings all files into the wanted form; files that are right already are not touched.
    func apply() throws(BastionError) {
        try includeSettingsFile()
        guard input.managesHBA else { return }
        try setBlock(accessRules, in: layout.hbaFile)
        try setBlock(identRules, in: layout.identFile)
    }

    /// Whether this server's files carry our parts already.
    var isInPlace: Bool {
        get throws(BastionError) { try DurableFiles.read(layout.configFile)?.contains(LocalConfiguration.includeMark) ?? false }
    }

    /// The settings file is the last thing PostgreSQL reads, so nothing in `postgresql.conf` overrides it.
    private func includeSettingsFile() throws(BastionError) {
        let old = try DurableFiles.read(layout.configFile) ?? ""
        var lines = old.split(separator: "\n", omittingEmptySubsequences: false)[...]
        lines = lines.filter { !$0.hasSuffix(LocalConfiguration.includeMark) }[...]
        while lines.last?.isEmpty == true { lines.removeLast() }
        let include = "include \(SettingsFile.quoted(input.settingsFile)) \(LocalConfiguration.includeMark)"
        let new = (lines.map(String.init) + [include, ""]).joined(separator: "\n")
        try DurableFiles.update(new, at: layout.configFile, mode: mode(of: layout.configFile))
    }

    /// The block stands at the top: the first matching rule counts.
    private func setBlock(_ block: [String], in path: String) throws(BastionError) {
        var lines = (try DurableFiles.read(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false)[...]
        if let first = lines.firstIndex(of: LocalConfiguration.begin[...]),
            let last = lines[first...].firstIndex(of: LocalConfiguration.end[...])
        {
            lines.removeSubrange(first...last)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        let own = block.isEmpty ? [] : [LocalConfiguration.begin] + block + [LocalConfiguration.end]
        let new = (own + lines.map(String.init) + [""]).joined(separator: "\n")
        try DurableFiles.update(new, at: path, mode: mode(of: path))
    }

    /// AG23: the superuser only over the local socket; the service users only from members.
    var accessRules: [String] {
        let map = identRules.isEmpty ? "" : " map=\(LocalConfiguration.identMap)"
        var rules = ["local all \(LocalConfiguration.word(input.superuser)) peer\(map)"]
        let encrypted = ["require", "verify-ca", "verify-full"].contains(input.sslMode)
        let kind = encrypted ? "hostssl" : "host"
        for address in ["samehost"] + Set(members.map(LocalConfiguration.network)).sorted() {
            let network = LocalConfiguration.word(address, isAddress: true)
            rules.append(
                "\(kind) replication \(LocalConfiguration.word(input.replicationUser)) \(network) scram-sha-256")
            rules.append("\(kind) postgres \(LocalConfiguration.word(input.rewindUser)) \(network) scram-sha-256")
        }
        return rules
    }

    /// Only when the operating system's user has another name than the superuser.
    var identRules: [String] {
        guard let entry = getpwuid(geteuid()) else { return [] }
        let user = String(cString: entry.pointee.pw_name)
        guard user != input.superuser else { return [] }
        return [
            "\(LocalConfiguration.identMap) \(LocalConfiguration.word(user)) \(LocalConfiguration.word(input.superuser))"
        ]
    }

    /// A bare address is a network of one host; a name stays a name.
    static func network(_ address: String) -> String {
        if address.contains("/") { return address }
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return address + "/32" }
        var six = in6_addr()
        return inet_pton(AF_INET6, address, &six) == 1 ? address + "/128" : address
    }

    /// Quoted, so that a role called `all` or one with a space means itself.
    private static func word(_ text: String, isAddress: Bool = false) -> String {
        let plain = text.filter { $0 != "\"" && $0 != "\n" && $0 != "\r" }
        return isAddress ? plain : "\"\(plain)\""
    }

    private func mode(of path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0o600
    }
}

/// Settings in `postgresql.auto.conf` would override the settings file (8.5).
enum AutoConfiguration {
    /// Names of `managed` that `text` sets, sorted.
    static func overridden(_ text: String, managed: Set<String>) -> [String] {
        Set(text.split(separator: "\n").compactMap(name)).intersection(managed).sorted()
    }

    /// The text without lines that set a managed name. Only while the server is stopped; else `ALTER SYSTEM RESET`.
    static func removing(_ managed: Set<String>, from text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { line in name(line).map { !managed.contains($0) } ?? true }
            .joined(separator: "\n")
    }

    private static func name(_ line: Substring) -> String? {
        guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { return nil }
        return String(line[..<equals]).trimmedLine.lowercased()
    }
}
