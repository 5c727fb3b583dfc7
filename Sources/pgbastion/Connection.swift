import Bastion
import ClusterModel
import CommandLineInterface
import FoundationEssentials
import Operations

/// From the client's options to something that can ask a daemon (`cli.md` section 1).
enum Connection {
    static func connector(_ environment: [String: String]) -> ClientConnector {
        ClientConnector(
            findContext: { (name: String?) throws(BastionError) -> ClusterContext? in
                try findContext(name, environment)
            },
            makeInvoker: { options throws(BastionError) in try invoker(options) })
    }

    static func invoker(_ options: ConnectionOptions) throws(BastionError) -> any OperationInvoker {
        var settings = ClientConnection.Options(configurationPath: options.configurationPath)
        settings.addresses = options.addresses
        settings.isConfigurationGiven = options.isConfigurationGiven
        settings.tokenFile = options.tokenFile
        settings.credentialsTokenFile = options.credentialsTokenFile
        settings.token = options.token
        settings.contextTokenFile = options.context?.tokenFile
        settings.authorityFile = options.certificateAuthorityFile
        settings.certificateFile = options.certificateFile
        settings.keyFile = options.keyFile
        settings.verifiesCertificate = options.verifiesCertificate
        settings.warn = options.warn
        settings.trace = options.trace
        return try ClientConnection.invoker(settings)
    }

    private static func findContext(
        _ name: String?, _ environment: [String: String]
    ) throws(BastionError) -> ClusterContext? {
        let file = try ContextFile.load(ContextFile.path(environment))
        guard let wanted = name ?? file.current else { return nil }
        let entry = try file.require(wanted)
        return ClusterContext(
            name: entry.name, endpoints: entry.endpoints, authorityFile: entry.authorityFile, tokenFile: entry.tokenFile,
            output: entry.output, isProtected: entry.isProtected)
    }
}

extension ContextFile {
    /// The entry, or `not_found` with the names there are.
    func require(_ name: String) throws(BastionError) -> Entry {
        if let entry = entry(name) { return entry }
        throw BastionError(
            .notFound, "there is no context \"\(name)\"",
            hint: entries.isEmpty
                ? "there are none; add one with `pgbastion context add`"
                : NameSuggestion.hint(for: name, among: entries.map(\.name)))
    }
}
