import ClusterModel

/// Where the operator's configuration files lie (AG17).
struct ConfigurationLayout: Sendable, Hashable {
    var configFile: String
    var hbaFile: String
    var identFile: String

    /// Explicit paths first; then the data directory; then Debian's place when the data directory has no configuration.
    init(_ input: PostgresSettingsInput, major: Int) {
        let inside = input.dataDirectory
        let debian = "/etc/postgresql/\(major)/\(DurableFiles.name(of: inside))"
        let useDebian =
            !DurableFiles.exists(inside + "/postgresql.conf") && DurableFiles.exists(debian + "/postgresql.conf")
            && DurableFiles.exists(inside + "/PG_VERSION")
        let place = useDebian ? debian : inside
        configFile = input.configFile ?? place + "/postgresql.conf"
        hbaFile = input.hbaFile ?? place + "/pg_hba.conf"
        identFile = input.identFile ?? place + "/pg_ident.conf"
    }

    /// The same files of another copy of the data directory, for example one being cloned.
    func moved(from old: String, to new: String) -> ConfigurationLayout {
        func moved(_ path: String) -> String {
            path.hasPrefix(old + "/") ? new + path.dropFirst(old.count) : path
        }
        var copy = self
        copy.configFile = moved(configFile)
        copy.hbaFile = moved(hbaFile)
        copy.identFile = moved(identFile)
        return copy
    }
}
