import ClusterModel
import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The node's HTTP server: the API on TCP and on the unix socket, and the metrics page on its own port.
package final class HTTPAPIServer: Service, Sendable {
    private let settings: APISettings
    private let logger: Logger
    private let router: APIRouter
    private let events: EventFeed
    private let metricsRouter: MetricsRouter
    private let certificates: ServerCertificates?
    private let listening: ListeningLatch
    private let group: StoppableGroup

    /// - Throws: `invalid_configuration` when the certificate cannot be used.
    package init(settings: APISettings, node: APINode, logger: Logger) throws(BastionError) {
        self.settings = settings
        self.logger = logger
        let access = AccessControl(
            token: settings.token, named: settings.namedTokens, protectReads: settings.protectReads)
        events = node.events
        router = APIRouter(node: node, access: access, logger: logger)
        metricsRouter = MetricsRouter(node: node)
        certificates = if let files = settings.tls { try ServerCertificates(files) } else { nil }
        let sockets = settings.socketPath == nil ? 0 : 1
        listening = ListeningLatch(expected: settings.binds.count + settings.metricsBinds.count + sockets)
        group = StoppableGroup()
    }

    /// Serves until the surrounding service group or `stop` shuts it down gracefully.
    ///
    /// - Throws: `invalid_configuration` or `io` when an address cannot be bound.
    package func run() async throws {
        do {
            let services = try makeServices()
            var configuration = ServiceGroupConfiguration(
                services: services.map {
                    .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
                }, logger: quietLogger)
            configuration.maximumGracefulShutdownDuration = settings.shutdownTimeout
            try await group.run(ServiceGroup(configuration: configuration))
            listening.fail(BastionError(.unavailable, "the API has stopped"))
        } catch {
            let failure = bindError(error)
            listening.fail(failure)
            throw failure
        }
    }

    /// Lets running requests end, for at most `shutdown_timeout`.
    package func stop() async {
        events.close()
        await group.stop()
    }

    /// Returns when every address is bound, with the addresses as bound (a port of 0 is replaced).
    ///
    /// - Throws: what `run` failed with.
    package func waitUntilListening() async throws(BastionError) -> BoundAddresses { try await listening.wait() }

    /// Reads the certificate from these files; existing connections keep theirs. Without TLS from the start nothing happens.
    package func reloadCertificates(_ files: APISettings.TLSFiles? = nil) throws(BastionError) {
        guard let files = files ?? settings.tls else { return }
        try certificates?.reload(files)
    }

    private func makeServices() throws -> [any Service] {
        var services: [any Service] = []
        for bind in settings.binds {
            services.append(
                try server(.hostname(bind.host, port: bind.port), answer: { await self.router.respond(to: $0) }))
        }
        for bind in settings.metricsBinds {
            services.append(
                try server(
                    .hostname(bind.host, port: bind.port), isMetrics: true,
                    answer: { await self.metricsRouter.respond(to: $0) }))
        }
        if let path = settings.socketPath {
            services.append(try server(.unixDomainSocket(path: path), answer: { await self.router.respond(to: $0) }))
        }
        return services
    }

    private func server(
        _ address: BindAddress, isMetrics: Bool = false,
        answer: @escaping @Sendable (APIRequest) async -> APIResponse
    ) throws -> any Service {
        let limits = settings.limits
        let adapter = ServerAdapter(limits: limits, answer: answer)
        let usesTLS = !isMetrics && address != settings.socketPath.map { .unixDomainSocket(path: $0) }
        let builder = HTTPServerBuilder { responder in
            let channel = HTTP1Channel(
                responder: responder,
                configuration: .init(
                    additionalChannelHandlers: [DecodedRequestHandler()],
                    idleTimeout: .nanoseconds(limits.idle.inNanoseconds),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 64 * 1024, maxHeaderListSize: 96 * 1024, maxHeaderFieldCount: 100)))
            return GuardedServerChannel(
                base: channel, certificates: usesTLS ? self.certificates : nil, headerLimit: limits.header)
        }
        return try builder.buildServer(
            configuration: ServerConfiguration(
                address: address, backlog: 1024,
                availableConnectionsDelegate: .maximum(limits.connections, logger: quietLogger)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quietLogger,
            responder: { request, writer, channel in
                try await adapter.respond(to: request, writer: writer, channel: channel)
            },
            onServerRunning: { channel in self.noteRunning(channel, address, isMetrics: isMetrics) })
    }

    private func noteRunning(_ channel: any Channel, _ address: BindAddress, isMetrics: Bool) {
        if let path = settings.socketPath, address == .unixDomainSocket(path: path) {
            openSocket(path)
            listening.note(.socket(path))
            return
        }
        let bound = APISettings.Bind(
            host: channel.localAddress?.ipAddress ?? "", port: channel.localAddress?.port ?? 0)
        listening.note(isMetrics ? .metrics(bound) : .api(bound))
    }

    /// The library binds with mode 0755, by which nobody but the owner may connect; only now is the group let in.
    private func openSocket(_ path: String) {
        if let group = settings.socketGroup, chown(path, uid_t.max, group) != 0 {
            logger.warning(
                "could not set the group of the API socket", metadata: ["path": "\(path)", "errno": "\(errno)"])
        }
        if chmod(path, 0o660) != 0 {
            logger.error(
                "could not set the mode of the API socket", metadata: ["path": "\(path)", "errno": "\(errno)"])
        }
    }

    private func bindError(_ error: any Error) -> BastionError {
        if let error = error as? BastionError { return error }
        if let error = error as? IOError, error.errnoCode == EADDRINUSE {
            let ports = (settings.binds + settings.metricsBinds).map { "\($0.host):\($0.port)" }.joined(separator: ", ")
            return BastionError(
                .invalidConfiguration, "could not bind an address of the API: it is in use",
                detail: "It is one of \(ports).", hint: "change api.port or metrics.port")
        }
        return BastionError(.io, "could not serve the API", detail: "\(error)")
    }

    /// The library logs every start and stop; the daemon has lines of its own for that.
    private var quietLogger: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}
