import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import HTTPAPI
import Operations

/// Finds a daemon and a token: options and environment first, then the local socket, then the configuration file.
package enum ClientConnection {
    package struct Options: Sendable {
        package var addresses: [String]
        package var configurationPath: String
        package var isConfigurationGiven: Bool
        /// Tried in this order; the first is required when it was asked for by name.
        package var tokenFiles: [String]
        package var isTokenFileRequired: Bool
        package var token: String?
        package var authorityFile: String?
        package var certificateFile: String?
        package var keyFile: String?
        package var verifiesCertificate: Bool

        package init(
            addresses: [String], configurationPath: String, isConfigurationGiven: Bool, tokenFiles: [String],
            isTokenFileRequired: Bool, token: String?, authorityFile: String?, certificateFile: String?, keyFile: String?,
            verifiesCertificate: Bool
        ) {
            self.addresses = addresses
            self.configurationPath = configurationPath
            self.isConfigurationGiven = isConfigurationGiven
            self.tokenFiles = tokenFiles
            self.isTokenFileRequired = isTokenFileRequired
            self.token = token
            self.authorityFile = authorityFile
            self.certificateFile = certificateFile
            self.keyFile = keyFile
            self.verifiesCertificate = verifiesCertificate
        }
    }

    package static func invoker(_ options: Options) throws(BastionError) -> any OperationInvoker {
        let configuration = try configuration(options)
        var endpoints: [Endpoint] = []
        for address in options.addresses { endpoints.append(try Endpoint(address)) }
        if endpoints.isEmpty { endpoints = localEndpoints(configuration) }
        return HTTPOperationInvoker(
            settings: ClientSettings(
                endpoints: endpoints, token: try token(options, configuration), authorityFile: options.authorityFile,
                certificateFile: options.certificateFile, keyFile: options.keyFile,
                isInsecure: !options.verifiesCertificate))
    }

    /// A configuration file that was not asked for may be missing or unreadable.
    private static func configuration(_ options: Options) throws(BastionError) -> NodeConfiguration? {
        guard options.isConfigurationGiven || access(options.configurationPath, R_OK) == 0 else { return nil }
        do throws(ConfigurationErrors) {
            return try ConfigurationFile.load(path: options.configurationPath, tokenFiles: .skip).configuration
        } catch {
            if options.isConfigurationGiven { throw error.bastionError }
            return nil
        }
    }

    private static func localEndpoints(_ configuration: NodeConfiguration?) -> [Endpoint] {
        guard let configuration else {
            return [.unixSocket(path: "/run/pgbastion/api.sock"), .http(host: "127.0.0.1", port: 8080)]
        }
        var endpoints = [Endpoint.unixSocket(path: configuration.api.socket)]
        for address in configuration.api.bindAddresses {
            let host = address.description == "0.0.0.0" ? "127.0.0.1" : address.description
            let port = configuration.api.port.number
            endpoints.append(configuration.api.tls == nil ? .http(host: host, port: port) : .https(host: host, port: port))
        }
        return endpoints
    }

    private static func token(_ options: Options, _ configuration: NodeConfiguration?) throws(BastionError) -> ClientSettings.Token? {
        for (i, path) in options.tokenFiles.enumerated() {
            if let text = TextFiles.read(path) { return token(text, source: path) }
            if i == 0, options.isTokenFileRequired {
                throw BastionError(.usage, "the token file \"\(path)\" cannot be read", detail: String(cString: strerror(errno)))
            }
        }
        if let token = options.token { return self.token(token, source: "PGBASTION_TOKEN") }
        if let path = configuration?.api.authTokenFile, let text = TextFiles.read(path) { return token(text, source: path) }
        if let secret = configuration?.api.authToken { return token(secret.revealed, source: options.configurationPath) }
        return nil
    }

    private static func token(_ text: String, source: String) -> ClientSettings.Token? {
        let value = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        return value.isEmpty ? nil : ClientSettings.Token(value: Array(value.utf8), source: source)
    }
}
