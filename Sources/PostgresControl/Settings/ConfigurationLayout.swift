import ClusterModel

/// Where the operator's configuration files lie (AG17).
struct ConfigurationLayout: Sendable, Hashable {
    var configFile: String
    var hbaFile: String
    var identFile: String

    /// Explicit paths first; then what an adopted server ran with; then what the last start named (`postmaster.opts`); then
    /// the data directory; then Debian's place when the data directory has no configuration.
    ///
    /// - Parameter copy: Another copy of the data directory that is to take its place, for example one being cloned.
    init(_ input: PostgresSettingsInput, major: Int, copy: String? = nil) {
        let final = input.dataDirectory
        let inside = copy ?? final
        let adopted = ConfigurationLayout.adopted(input)
        configFile = input.configFile ?? adopted?.configFile ?? ConfigurationLayout.configFile(final, inside: inside, major: major)
        let file = ConfigurationFile(configFile, dataDirectory: inside)
        hbaFile = input.hbaFile ?? adopted?.hbaFile ?? file.path(of: "hba_file", standard: "pg_hba.conf")
        identFile = input.identFile ?? adopted?.identFile ?? file.path(of: "ident_file", standard: "pg_ident.conf")
        if let copy { self = moved(from: final, to: copy) }
    }

    private static func adopted(_ input: PostgresSettingsInput) -> AdoptedConfiguration? {
        do {
            guard let adopted = try AdoptedConfiguration.read(input.adoptedFile), DurableFiles.exists(adopted.configFile),
                !adopted.configFile.hasPrefix(input.dataDirectory + "/")
            else { return nil }
            return adopted
        } catch {
            return nil
        }
    }

    private static func configFile(_ final: String, inside: String, major: Int) -> String {
        let standard = inside + "/postgresql.conf"
        if let named = namedAtLastStart(final), named != final + "/postgresql.conf", DurableFiles.exists(named) { return named }
        let debian = "/etc/postgresql/\(major)/\(DurableFiles.name(of: final))/postgresql.conf"
        let useDebian =
            !DurableFiles.exists(standard) && DurableFiles.exists(debian) && DurableFiles.exists(inside + "/PG_VERSION")
        return useDebian ? debian : standard
    }

    /// `config_file` of the command line that PostgreSQL itself noted, in the form `"-c" "config_file=PATH"`.
    private static func namedAtLastStart(_ dataDirectory: String) -> String? {
        do {
            guard let text = try DurableFiles.read(dataDirectory + "/postmaster.opts") else { return nil }
            let mark = "config_file="
            let words = text.split(separator: "\"").filter { $0.hasPrefix(mark) || $0.hasPrefix("--" + mark) }
            return words.last.flatMap { word in word.firstIndex(of: "=").map { String(word[word.index(after: $0)...]) } }
        } catch {
            return nil
        }
    }

    /// The same files of another copy of the data directory.
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

/// The two settings of a configuration file that say where other files lie. Debian's file names both.
private struct ConfigurationFile {
    let path: String
    let dataDirectory: String
    private var values: [String: String] = [:]

    init(_ path: String, dataDirectory: String) {
        self.path = path
        self.dataDirectory = dataDirectory
        do {
            for line in (try DurableFiles.read(path) ?? "").split(separator: "\n") { read(line) }
        } catch {
            values = [:]  // Whoever writes to the file will say what is wrong with it.
        }
    }

    private mutating func read(_ line: Substring) {
        let text = String(line).trimmedLine
        for name in ["hba_file", "ident_file"] where text.hasPrefix(name) {
            let rest = text.dropFirst(name.count).drop { $0 == " " || $0 == "\t" || $0 == "=" }
            guard rest.first == "'", let end = rest.dropFirst().firstIndex(of: "'") else { continue }
            values[name] = String(rest[rest.index(after: rest.startIndex)..<end])
        }
    }

    /// PostgreSQL looks in the data directory when the file names no place; a file beside the configuration file is meant
    /// when only that one exists.
    func path(of name: String, standard: String) -> String {
        if let value = values[name], value.hasPrefix("/") { return value }
        let beside = DurableFiles.parent(of: path) + "/" + standard
        let inside = dataDirectory + "/" + standard
        return !DurableFiles.exists(inside) && DurableFiles.exists(beside) ? beside : inside
    }
}
