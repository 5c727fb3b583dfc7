import ClusterModel
import ConfigFiles

/// What the local commands about configuration files need.
package enum ConfigurationEntry {
    package static func path(option: String?, environment: [String: String]) -> String {
        ConfigurationFile.path(option: option, environment: environment)
    }

    /// The warnings of a valid file, one line each.
    package static func validate(_ path: String) throws(BastionError) -> [String] {
        try load(path).warnings.map { "\($0)" }
    }

    /// All keys with their values; secrets are hidden.
    package static func show(_ path: String) throws(BastionError) -> String { try load(path).configuration.redacted }

    private static func load(_ path: String) throws(BastionError) -> LoadedConfiguration {
        do throws(ConfigurationErrors) { return try ConfigurationFile.load(path: path) } catch { throw error.bastionError }
    }
}
