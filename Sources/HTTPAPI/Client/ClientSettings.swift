import ClusterModel
import Glibc

/// How the client reaches daemons (`cli.md`, section 1).
package struct ClientSettings: Sendable {
    /// A token and where it came from; only the source is ever shown.
    package struct Token: Sendable {
        package var value: [UInt8]
        /// `/etc/pgbastion/api-token`, `PGBASTION_TOKEN`
        package var source: String
        package init(value: [UInt8], source: String) {
            self.value = value
            self.source = source
        }
    }

    /// Tried in this order.
    package var endpoints: [Endpoint]
    package var token: Token?
    /// PEM file with the certificates to trust; nil: the system's.
    package var authorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    /// Do not verify the server (`--insecure`).
    package var isInsecure: Bool
    /// Limit: for one connection attempt, so that a dead endpoint leaves time for the next.
    package var connectTimeout: Duration
    /// Limit: bytes of an answer.
    package var maximumAnswer: Int
    /// Who called `sudo`, told over the unix socket only, for the audit log.
    package var sudoUser: String? = ClientSettings.sudoCaller
    /// Told of each address that was tried, and how it answered (`--verbose`).
    package var trace: (@Sendable (String) -> Void)?

    private static var sudoCaller: String? { geteuid() == 0 ? getenv("SUDO_USER").map { String(cString: $0) } : nil }

    package init(
        endpoints: [Endpoint], token: Token? = nil, authorityFile: String? = nil, certificateFile: String? = nil,
        keyFile: String? = nil, isInsecure: Bool = false, connectTimeout: Duration = .seconds(3),
        maximumAnswer: Int = 32 << 20
    ) {
        self.endpoints = endpoints
        self.token = token
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.isInsecure = isInsecure
        self.connectTimeout = connectTimeout
        self.maximumAnswer = maximumAnswer
    }
}
