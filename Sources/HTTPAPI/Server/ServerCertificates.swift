import ClusterModel
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The server's certificate as last read from its files.
final class ServerCertificates: Sendable {
    private let files: APISettings.TLSFiles
    private let current: Mutex<NIOSSLContext>

    init(_ files: APISettings.TLSFiles) throws(BastionError) {
        self.files = files
        current = Mutex(try ServerCertificates.load(files))
    }

    var context: NIOSSLContext { current.withLock { $0 } }

    /// A file that cannot be used leaves the former certificate in place.
    func reload() throws(BastionError) {
        let context = try ServerCertificates.load(files)
        current.withLock { $0 = context }
    }

    private static func load(_ files: APISettings.TLSFiles) throws(BastionError) -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // The library's errors name no part of the key.
            throw BastionError(
                .invalidConfiguration, "cannot use the API's certificate \"\(files.certificate)\"", detail: "\(error)",
                hint: "check api.tls_cert and api.tls_key")
        }
    }
}

/// Connections with TLS in front; each takes the certificate of the moment.
struct TLSServerChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let certificates: ServerCertificates

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificates.context))
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
