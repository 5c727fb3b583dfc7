import ClusterModel
import NIOCore
import NIOPosix
import NIOSSL

/// One request and its answer over TLS.
struct TLSExchange {
    let deadline: ContinuousClock.Instant
    let settings: ClientSettings

    func run(_ request: ClientRequest, to endpoint: Endpoint) async throws(ExchangeFailure) -> ClientAnswer {
        guard case .https(let host, let port) = endpoint else {
            throw ExchangeFailure(reason: "it is no https address", wasSent: false)
        }
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: try configuration())
        } catch {
            throw ExchangeFailure(reason: "cannot use the TLS files: \(error)", wasSent: false)
        }
        let clock = ContinuousClock()
        let group = MultiThreadedEventLoopGroup.singleton
        let connectLimit = max(min(settings.connectTimeout, clock.now.duration(to: deadline)), .milliseconds(1))
        let answered = group.next().makePromise(of: ClientAnswer.self)
        let maximum = settings.maximumAnswer
        let sink = request.sink
        let bytes = request.bytes(host: endpoint.hostHeader)
        let serverName = TLSExchange.isAddress(host) ? nil : host
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.nanoseconds(connectLimit.inNanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: serverName)
                    try channel.pipeline.syncOperations.addHandlers(
                        tls, AnswerHandler(request: bytes, parser: AnswerParser(maximum: maximum, sink: sink), answered: answered))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: host, port: port).get()
        } catch {
            answered.fail(error)
            throw ExchangeFailure(reason: TLSExchange.reason(error), wasSent: false)
        }
        let limit = max(clock.now.duration(to: deadline), .milliseconds(1))
        let timer = channel.eventLoop.scheduleTask(in: .nanoseconds(limit.inNanoseconds)) {
            answered.fail(ExchangeFailure(reason: "no answer in time", wasSent: true, isDeadline: true))
        }
        let result = await answered.futureResult.asResult()
        timer.cancel()
        channel.close(promise: nil)
        switch result {
        case .success(let answer): return answer
        case .failure(let failure as ExchangeFailure): throw failure
        // The request goes out only after the handshake, so any other error came before it.
        case .failure(let error): throw ExchangeFailure(reason: TLSExchange.reason(error), wasSent: false)
        }
    }

    private func configuration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let file = settings.authorityFile { configuration.trustRoots = .file(file) }
        if settings.isInsecure { configuration.certificateVerification = .none }
        if let certificate = settings.certificateFile, let key = settings.keyFile {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        }
        return configuration
    }

    private static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (48...57).contains($0) }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError where error.errnoCode == 111: "connection refused"
        case is NIOConnectionError: "connection refused"
        case is NIOSSLError: "the certificate was not accepted or the handshake failed: \(error)"
        default: "\(error)"
        }
    }
}

extension EventLoopFuture where Value: Sendable {
    fileprivate func asResult() async -> Result<Value, any Error> {
        do {
            return .success(try await get())
        } catch {
            return .failure(error)
        }
    }
}

/// Sends the request and collects the answer.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: [UInt8]
    private let answered: EventLoopPromise<ClientAnswer>
    private var parser: AnswerParser
    private var wasSent = false

    init(request: [UInt8], parser: AnswerParser, answered: EventLoopPromise<ClientAnswer>) {
        self.request = request
        self.answered = answered
        self.parser = parser
    }

    /// The TLS handler keeps the request back until the handshake is done, and only then has it written.
    func channelActive(context: ChannelHandlerContext) {
        let written = context.eventLoop.makePromise(of: Void.self)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenSuccess { handler.value.wasSent = true }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: request)), promise: written)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        finish(parser.feed(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        if wasSent {
            finish(parser.finish())
        } else {
            answered.fail(ExchangeFailure(reason: "it closed the connection in the TLS handshake", wasSent: false))
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if wasSent {
            // A peer that closes without close_notify may have sent everything already.
            finish(parser.finish())
        } else {
            answered.fail(error)
        }
        context.close(promise: nil)
    }

    private func finish(_ progress: AnswerParser.Progress) {
        switch progress {
        case .needsMore: return
        case .complete(let answer): answered.succeed(answer)
        case .broken(let reason): answered.fail(ExchangeFailure(reason: reason, wasSent: true))
        }
    }
}
