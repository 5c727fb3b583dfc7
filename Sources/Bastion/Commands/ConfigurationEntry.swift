import ClusterModel
import ConfigFiles

/// What the local commands about configuration files need.
package enum ConfigurationEntry {
    package static func path(option: String?, environment: [String: String]) -> String {
        ConfigurationFile.path(option: option, environment: environment)
    }

    package struct Findings: Sendable {
        /// One line each; empty when the file can be used.
        package var errors: [String]
        package var warnings: [String]
    }

    package static func validate(_ path: String) -> Findings {
        do throws(ConfigurationErrors) {
            return Findings(errors: [], warnings: try ConfigurationFile.load(path: path).warnings.map { "\($0)" })
        } catch {
            return Findings(errors: error.diagnostics.map { "\($0)" }, warnings: [])
        }
    }

    package struct Line: Sendable {
        package var key: String
        /// Secrets are hidden.
        package var value: String
        /// `FILE:LINE`, `from KEY` or `default`.
        package var origin: String
    }

    /// - Parameter effective: Also keys that the file does not give.
    package static func show(_ path: String, effective: Bool) throws(BastionError) -> [Line] {
        let loaded: LoadedConfiguration
        do throws(ConfigurationErrors) { loaded = try ConfigurationFile.load(path: path) } catch { throw error.bastionError }
        return loaded.configuration.entries.filter { effective || loaded.isWritten($0.key) }.map {
            Line(key: $0.key, value: $0.value, origin: loaded.origin(of: $0.key, file: path).description)
        }
    }

    package static var schema: String { ConfigurationSchema.text }
}
