import ClusterModel

/// What a file gave: a sound configuration, and what is worth knowing about it.
package struct LoadedConfiguration: Sendable, Hashable {
    package let configuration: NodeConfiguration
    package let warnings: [Diagnostic]
    /// Where the file gives each key it has; keys that are not here have their default.
    package let positions: [String: TextPosition]
}

/// Reads `pgbastion.yaml`. All errors of a file are reported at once, each with its place.
package enum ConfigurationFile {
    /// - Parameter tokenFiles: `.skip` for a client that may not read `api.auth_token_file`; the token is nil then.
    package static func load(
        path: String, tokenFiles: TokenFileAccess = .standard
    ) throws(ConfigurationErrors) -> LoadedConfiguration {
        let bytes: [UInt8]
        do throws(FileProblem) {
            bytes = try SmallFile.read(path, limit: YAMLDocument.maximumBytes)
        } catch {
            throw ConfigurationErrors(
                path, [Diagnostic(.error, file: path, position: .start, "could not read the file: \(error.reason)")])
        }
        return try parse(bytes, file: path, tokenFiles: tokenFiles)
    }

    package static func parse(
        text: String, file: String = "pgbastion.yaml", tokenFiles: TokenFileAccess = .standard
    ) throws(ConfigurationErrors) -> LoadedConfiguration {
        try parse(Array(text.utf8), file: file, tokenFiles: tokenFiles)
    }

    package static func parse(
        _ bytes: [UInt8], file: String, tokenFiles: TokenFileAccess = .standard
    ) throws(ConfigurationErrors) -> LoadedConfiguration {
        let document = YAMLDocument.read(bytes, file: file)
        let collector = DiagnosticCollector(file: file, errors: document.errors)
        // Without a tree nothing can be said about keys: reporting them as missing would mislead.
        guard let root = document.node else { throw ConfigurationErrors(file, collector.errors) }
        for position in ConfigurationRedaction.marks(in: root) {
            collector.error(
                "a secret was left out of this file when it was backed up", at: position,
                hint: "put the secret in the place of \(ConfigurationRedaction.mark)")
        }
        let reader = ConfigurationReader(root: root, collector: collector, tokenFiles: tokenFiles)
        let configuration = reader.read()
        guard collector.errors.isEmpty, let configuration else { throw ConfigurationErrors(file, collector.errors) }
        let warnings = collector.warnings.sorted { $0.position < $1.position }
        return LoadedConfiguration(configuration: configuration, warnings: warnings, positions: collector.positions)
    }

    /// The file to read: what an option names, else `PGBASTION_CONFIG`, else the default. Daemon and client agree on it.
    package static func path(option: String?, environment: [String: String]) -> String {
        let named = environment["PGBASTION_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        return option ?? named ?? NodeConfiguration.defaultPath
    }

    /// Every key a file may have, as `section.key`, in the order they are read; also those without effect.
    package static var knownKeys: [String] { keys.map(\.name) }

    /// The same with the form of each value.
    package static var keys: [KeyDefinition] {
        let collector = DiagnosticCollector(file: "")
        let root = YAMLNode(.mapping([]), at: .start)
        _ = ConfigurationReader(root: root, collector: collector, tokenFiles: .skip).read()
        return collector.keys
    }
}

/// How `api.auth_token_file` is read.
package enum TokenFileAccess {
    case skip
    case read((_ path: String) throws(FileProblem) -> [UInt8])

    /// Limit: 64 KiB.
    package static var standard: TokenFileAccess {
        .read { path throws(FileProblem) in try SmallFile.read(path, limit: 1 << 16) }
    }
}
