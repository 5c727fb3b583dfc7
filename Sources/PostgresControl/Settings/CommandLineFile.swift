import ClusterModel

/// Managed parameters that only the command line carries, kept beside the settings file: the server is started when nobody
/// can be asked for them.
enum CommandLineFile {
    static func write(_ parameters: [String: String], _ input: PostgresSettingsInput) throws(BastionError) {
        let values = parameters.filter { PostgresParameterRules.commandLine.contains($0.key) }
        let lines = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        guard try DurableFiles.read(input.commandLineFile) ?? "" != lines else { return }
        try DurableFiles.update(lines, at: input.commandLineFile)
    }

    static func read(_ input: PostgresSettingsInput) throws(BastionError) -> [String: String] {
        var values: [String: String] = [:]
        for line in (try DurableFiles.read(input.commandLineFile) ?? "").split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, PostgresParameterRules.commandLine.contains(String(parts[0])), Int(parts[1]) != nil else { continue }
            values[String(parts[0])] = String(parts[1])
        }
        return values
    }

    /// What the next start gives the server, but for what a standby's WAL demands.
    static func next(_ input: PostgresSettingsInput) throws(BastionError) -> [String: Int] {
        var values = PostmasterCommand.ownedDefaults
        values.merge(input.commandLineSettings) { _, configured in configured }
        values.merge(try read(input)) { _, managed in managed }
        return values.filter { PostgresParameterRules.commandLine.contains($0.key) }.compactMapValues { Int($0) }
    }
}
