import ClusterModel

/// The contents of `pgbastion.conf` (8.5).
struct SettingsFile: Sendable {
    /// Changes with the contents. A session that shows it has read the whole file.
    let fingerprint: String
    let text: String
    let settings: [String: String]

    static let fingerprintSetting = "pgbastion.settings"
    /// A name that no standby has: commits wait as long as it is set.
    static let placeholder = "pgbastion_placeholder"

    init(_ managed: ManagedSettings, input: PostgresSettingsInput, version: PostgresVersion) {
        var all = version.streamSettings
        all["restore_command"] = ""
        // The command line says so as well; a server that was adopted has another one until its next start (DE10).
        all["restart_after_crash"] = "off"
        for (name, value) in version.slotSizeLimit { all[name] = value }
        for (name, value) in managed.parameters where SettingsFile.mayManage(name) { all[name] = value }
        all["primary_conninfo"] = managed.upstream.map { ConnectionText.upstream($0, managed, input) } ?? ""
        all["primary_slot_name"] = managed.upstream == nil ? "" : managed.slot ?? ""
        all["synchronous_standby_names"] = managed.synchronousStandbyNames
        settings = all
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.key) = \(SettingsFile.quoted($0.value))" }
        let body = lines.joined(separator: "\n")
        fingerprint = SettingsFile.digest(body)
        text = """
            # Written by pgbastion; changes are overwritten.
            \(body)
            \(SettingsFile.fingerprintSetting) = '\(fingerprint)'

            """
    }

    /// D57: no recovery target but ours; what the command line owns would not count here anyway.
    private static func mayManage(_ name: String) -> Bool {
        !PostmasterCommand.ownedNames.contains(name) && !name.hasPrefix("recovery_target")
    }

    static func quoted(_ value: String) -> String {
        let plain = value.filter { $0 != "\n" && $0 != "\r" && $0 != "\0" }
        return "'" + plain.flatMap { $0 == "'" || $0 == "\\" ? [$0, $0] : [$0] } + "'"
    }

    /// FNV-1a, 64 bits: tells contents apart, protects nothing.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

/// libpq connection strings, always without a password.
enum ConnectionText {
    /// AG22. The timeouts make a dead upstream noticed within about 3 s.
    static func upstream(
        _ endpoint: PostgresEndpoint, _ managed: ManagedSettings, _ input: PostgresSettingsInput
    ) -> String {
        text(
            endpoint, user: input.replicationUser, passfile: input.passfile, sslMode: input.sslMode,
            extra: [("application_name", managed.applicationName)])
    }

    static func text(
        _ endpoint: PostgresEndpoint, user: String, passfile: String, sslMode: String, extra: [(String, String)]
    ) -> String {
        let pairs =
            [
                ("host", endpoint.host), ("port", "\(endpoint.port)"), ("user", user), ("passfile", passfile),
                ("connect_timeout", "3"), ("keepalives", "1"), ("keepalives_idle", "3"), ("keepalives_interval", "1"),
                ("keepalives_count", "3"), ("tcp_user_timeout", "3000"), ("sslmode", sslMode),
            ] + extra
        return pairs.map { "\($0.0)=\(quoted($0.1))" }.joined(separator: " ")
    }

    private static func quoted(_ value: String) -> String {
        let plain = value.utf8.allSatisfy { byte in
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
                || "._-/:".utf8.contains(byte)
        }
        if plain && !value.isEmpty { return value }
        return "'" + value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] } + "'"
    }

    /// The value of one key of a connection string in keyword form; nil when it has none.
    static func value(of key: String, in text: String) -> String? {
        for word in text.split(separator: " ") where word.hasPrefix(key + "=") {
            return String(word.dropFirst(key.count + 1).filter { $0 != "'" })
        }
        return nil
    }
}
