import ClusterModel
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The server's certificate as last read from its files.
final class ServerCertificates: Sendable {
    private let current: Mutex<NIOSSLContext>

    init(_ files: APISettings.TLSFiles) throws(BastionError) {
        current = Mutex(try ServerCertificates.load(files))
    }

    var context: NIOSSLContext { current.withLock { $0 } }

    /// A file that cannot be used leaves the former certificate in place.
    func reload(_ files: APISettings.TLSFiles) throws(BastionError) {
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
            if let authority = files.authority {
                configuration.trustRoots = .file(authority)
                // A client has no host name worth checking; that its certificate was signed is what counts.
                configuration.certificateVerification = .noHostnameVerification
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            // The library's errors name no part of the key.
            throw BastionError(
                .invalidConfiguration, "cannot use the API's certificate \"\(files.certificate)\"", detail: "\(error)",
                hint: "check api.tls_cert, api.tls_key and api.tls_ca")
        }
    }
}

/// Connections with TLS and the warden in front; each takes the certificate of the moment.
struct GuardedServerChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    /// nil: without TLS.
    let certificates: ServerCertificates?
    let headerLimit: Duration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            if let certificates {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificates.context))
            }
            try channel.pipeline.syncOperations.addHandler(ConnectionWarden(limit: headerLimit))
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
