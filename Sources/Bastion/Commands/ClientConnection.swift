import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import HTTPAPI
import Operations

/// Finds a daemon and a token: options and environment first, then the context, then the local socket, then the
/// configuration file (`cli.md` section 1).
package enum ClientConnection {
    package struct Options: Sendable {
        /// Of options, environment or context; empty: those of this machine.
        package var addresses: [String] = []
        package var configurationPath: String
        package var isConfigurationGiven = false
        /// `--token-file` or `PGBASTION_TOKEN_FILE`; it must be readable.
        package var tokenFile: String?
        /// `$CREDENTIALS_DIRECTORY/api-token`; it may be missing.
        package var credentialsTokenFile: String?
        /// `PGBASTION_TOKEN`
        package var token: String?
        package var contextTokenFile: String?
        package var authorityFile: String?
        package var certificateFile: String?
        package var keyFile: String?
        package var verifiesCertificate = true
        package var warn: @Sendable (String) -> Void = { _ in }
        package var trace: (@Sendable (String) -> Void)?

        package init(configurationPath: String) { self.configurationPath = configurationPath }
    }

    package static func invoker(_ options: Options) throws(BastionError) -> any OperationInvoker {
        var endpoints: [Endpoint] = []
        for address in options.addresses { endpoints.append(try Endpoint(address)) }
        // The file is read only when something of it is needed.
        var configuration: NodeConfiguration?
        if endpoints.isEmpty || options.isConfigurationGiven || (needsToken(endpoints) && !hasToken(options)) {
            configuration = try Self.configuration(options)
        }
        if endpoints.isEmpty { endpoints = localEndpoints(configuration) }
        var settings = ClientSettings(
            endpoints: endpoints, authorityFile: options.authorityFile, certificateFile: options.certificateFile,
            keyFile: options.keyFile, isInsecure: !options.verifiesCertificate)
        if needsToken(endpoints) { settings.token = try token(options, configuration) }
        settings.trace = options.trace
        return HTTPOperationInvoker(settings: settings)
    }

    /// Throws `usage` when this is no address of a daemon.
    package static func check(address: String) throws(BastionError) { _ = try Endpoint(address) }

    /// The unix socket asks for none.
    private static func needsToken(_ endpoints: [Endpoint]) -> Bool {
        endpoints.contains { if case .unixSocket = $0 { false } else { true } }
    }

    private static func hasToken(_ options: Options) -> Bool {
        options.tokenFile != nil || options.token != nil || options.contextTokenFile != nil
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

    /// The first source that has one; a file that was named must be readable, any other may be missing.
    private static func token(
        _ options: Options, _ configuration: NodeConfiguration?
    ) throws(BastionError) -> ClientSettings.Token? {
        if let path = options.tokenFile { return try required(path, "the token file", options) }
        if let path = options.credentialsTokenFile, let text = TextFiles.read(path) {
            return token(text, source: path)
        }
        if let token = options.token { return self.token(token, source: "PGBASTION_TOKEN") }
        if let path = options.contextTokenFile { return try required(path, "the token file of the context", options) }
        if let path = configuration?.api.authTokenFile, let text = TextFiles.read(path) {
            warnWhenReadable(path, options)
            return token(text, source: path)
        }
        if let secret = configuration?.api.authToken { return token(secret.revealed, source: options.configurationPath) }
        return nil
    }

    private static func required(
        _ path: String, _ name: String, _ options: Options
    ) throws(BastionError) -> ClientSettings.Token? {
        guard let text = TextFiles.read(path) else {
            throw BastionError(
                .unauthenticated, "\(name) \"\(path)\" cannot be read", detail: String(cString: strerror(errno)))
        }
        warnWhenReadable(path, options)
        guard let token = token(text, source: path) else {
            throw BastionError(.unauthenticated, "\(name) \"\(path)\" is empty")
        }
        return token
    }

    private static func warnWhenReadable(_ path: String, _ options: Options) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o004 != 0 else { return }
        options.warn("the token file \"\(path)\" can be read by every user of this machine; run `chmod o-rwx \(path)`")
    }

    private static func token(_ text: String, source: String) -> ClientSettings.Token? {
        let value = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        return value.isEmpty ? nil : ClientSettings.Token(value: Array(value.utf8), source: source)
    }
}
