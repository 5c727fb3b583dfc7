import ClusterModel

/// What `api.*` and `metrics.*` of the configuration file say.
package struct APISettings: Sendable {
    package struct Bind: Sendable, Hashable {
        package var host: String
        /// 0: any free port.
        package var port: Int
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// PEM files; read again by `reloadCertificates`.
    package struct TLSFiles: Sendable, Hashable {
        package var certificate: String
        package var key: String
        /// Clients must show a certificate that one of these signed; nil: they need none.
        package var authority: String?
        package init(certificate: String, key: String, authority: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.authority = authority
        }
    }

    /// H09
    package struct Limits: Sendable, Hashable {
        package var header: Duration = .seconds(5)
        package var body: Duration = .seconds(10)
        package var idle: Duration = .seconds(60)
        package var bodyBytes = 1 << 20
        /// Of each listener; more wait in the kernel's queue.
        package var connections = 1000
        package init() {}
    }

    package var binds: [Bind]
    package var metricsBinds: [Bind]
    /// The unix socket's path; nil: none.
    package var socketPath: String?
    /// Group of the socket file; nil: that of the process.
    package var socketGroup: UInt32?
    /// `api.auth_token` at this moment; nil or empty: changes are open.
    package var token: @Sendable () -> [UInt8]?
    /// The cluster's named tokens at this moment.
    package var namedTokens: @Sendable () async -> [AccessControl.NamedToken]
    /// `api.protect_reads` at this moment.
    package var protectReads: @Sendable () -> Bool
    package var tls: TLSFiles?
    package var shutdownTimeout: Duration
    package var limits: Limits

    package init(
        binds: [Bind], metricsBinds: [Bind] = [], socketPath: String? = nil, socketGroup: UInt32? = nil,
        token: @escaping @Sendable () -> [UInt8]? = { nil },
        namedTokens: @escaping @Sendable () async -> [AccessControl.NamedToken] = { [] },
        protectReads: @escaping @Sendable () -> Bool = { false }, tls: TLSFiles? = nil, shutdownTimeout: Duration = .seconds(5),
        limits: Limits = Limits()
    ) {
        self.binds = binds
        self.metricsBinds = metricsBinds
        self.socketPath = socketPath
        self.socketGroup = socketGroup
        self.token = token
        self.namedTokens = namedTokens
        self.protectReads = protectReads
        self.tls = tls
        self.shutdownTimeout = shutdownTimeout
        self.limits = limits
    }
}
