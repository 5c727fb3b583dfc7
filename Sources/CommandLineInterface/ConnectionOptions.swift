import ClusterModel
import Operations

/// Where the client may find a cluster and how it proves who it is (`cli.md` section 1); the caller reads the files.
package struct ConnectionOptions: Sendable {
    package static let defaultConfigurationPath = "/etc/pgbastion/pgbastion.yaml"

    /// `--addr` or `PGBASTION_ADDR`, to be tried in this order; empty: those of the context, else the local socket,
    /// then the configuration file.
    package var addresses: [String] = []
    package var context: ClusterContext?
    package var configurationPath = ConnectionOptions.defaultConfigurationPath
    /// False: a missing or unreadable configuration file is no error.
    package var isConfigurationGiven = false
    package var tokenFile: String?
    /// `$CREDENTIALS_DIRECTORY/api-token`, asked after `tokenFile`; it may not exist.
    package var credentialsTokenFile: String?
    /// `PGBASTION_TOKEN`, asked after both files.
    package var token: String?
    package var certificateAuthorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    package var verifiesCertificate = true
    /// What somebody should know although the connection works: a token file that others can read.
    package var warn: @Sendable (String) -> Void = { _ in }
    /// Each address and how it answered, for `--verbose`.
    package var trace: (@Sendable (String) -> Void)?

    package init() {}

    /// - Parameter context: The one asked for, or the current one; its options stand behind those given here.
    init(_ arguments: ParsedArguments, environment: [String: String], context: ClusterContext? = nil) {
        addresses = arguments.list("addr").flatMap { $0.split(separator: ",").map(String.init) }
        if addresses.isEmpty { addresses = context?.endpoints ?? [] }
        self.context = context
        configurationPath = arguments.text("config") ?? Self.defaultConfigurationPath
        isConfigurationGiven = arguments.isGiven("config")
        tokenFile = arguments.text("token_file")
        credentialsTokenFile = environment["CREDENTIALS_DIRECTORY"].map { $0 + "/api-token" }
        token = environment["PGBASTION_TOKEN"]
        certificateAuthorityFile = arguments.text("ca") ?? context?.authorityFile
        certificateFile = arguments.text("cert")
        keyFile = arguments.text("key")
        verifiesCertificate = !arguments.flag("insecure")
    }
}

/// An entry of `contexts.yaml`: a cluster by name.
package struct ClusterContext: Sendable, Equatable {
    package var name: String
    package var endpoints: [String]
    package var authorityFile: String?
    package var tokenFile: String?
    /// An output format.
    package var output: String?
    /// Every disruptive and destructive command asks for the typed name of the cluster.
    package var isProtected: Bool

    package init(
        name: String, endpoints: [String], authorityFile: String? = nil, tokenFile: String? = nil,
        output: String? = nil, isProtected: Bool = false
    ) {
        self.name = name
        self.endpoints = endpoints
        self.authorityFile = authorityFile
        self.tokenFile = tokenFile
        self.output = output
        self.isProtected = isProtected
    }
}

/// The world of one client: how it finds contexts and connects. The executable gives what reads files and opens sockets.
package struct ClientConnector: Sendable {
    /// The context of this name, or the current one for nil; nil when there is none. Throws when the name is unknown.
    package var findContext: @Sendable (String?) throws(BastionError) -> ClusterContext?
    /// Reads the configuration file where it has to, and connects lazily.
    package var makeInvoker: InvokerFactory

    package init(
        findContext: @escaping @Sendable (String?) throws(BastionError) -> ClusterContext? = {
            (_: String?) throws(BastionError) -> ClusterContext? in nil
        },
        makeInvoker: @escaping InvokerFactory
    ) {
        self.findContext = findContext
        self.makeInvoker = makeInvoker
    }

    /// An address given by hand is not that of the current context, so neither are its token and its protection.
    func context(_ arguments: ParsedArguments) throws(BastionError) -> ClusterContext? {
        let name = arguments.text("context")
        return name == nil && arguments.isGiven("addr") ? nil : try findContext(name)
    }
}

package typealias InvokerFactory =
    @Sendable (ConnectionOptions) throws(BastionError) -> any OperationInvoker
