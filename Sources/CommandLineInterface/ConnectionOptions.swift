/// Where the client may find a cluster and how it proves who it is (`cli.md` section 1); the caller reads the files.
package struct ConnectionOptions: Sendable, Equatable {
    package static let defaultConfigurationPath = "/etc/pgbastion/pgbastion.yaml"

    /// `--addr` or `PGBASTION_ADDR`, to be tried in this order; empty: the local socket, then the configuration file.
    package var addresses: [String] = []
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

    package init() {}

    init(_ arguments: ParsedArguments, environment: [String: String]) {
        addresses = arguments.list("addr").flatMap { $0.split(separator: ",").map(String.init) }
        configurationPath = arguments.text("config") ?? Self.defaultConfigurationPath
        isConfigurationGiven = arguments.isGiven("config")
        tokenFile = arguments.text("token_file")
        credentialsTokenFile = environment["CREDENTIALS_DIRECTORY"].map { $0 + "/api-token" }
        token = environment["PGBASTION_TOKEN"]
        certificateAuthorityFile = arguments.text("ca")
        certificateFile = arguments.text("cert")
        keyFile = arguments.text("key")
        verifiesCertificate = !arguments.flag("insecure")
    }
}
