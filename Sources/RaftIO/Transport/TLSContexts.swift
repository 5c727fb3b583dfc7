import ClusterModel
import NIOCore
import NIOSSL

/// The TLS contexts of both directions, made from files; made anew when certificates are rotated.
struct TLSContexts: Sendable {
    private let client: NIOSSLContext
    private let server: NIOSSLContext

    init(_ files: TransportTLS) throws(BastionError) {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificatePath).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: files.keyPath, format: .pem))
            let roots = try files.caPath.map { NIOSSLTrustRoots.certificates(try NIOSSLCertificate.fromPEMFile($0)) }

            var dialling = TLSConfiguration.makeClientConfiguration()
            dialling.minimumTLSVersion = .tlsv12
            dialling.certificateChain = chain
            dialling.privateKey = key
            if let roots { dialling.trustRoots = roots }
            dialling.certificateVerification = roots == nil ? .none : .fullVerification
            client = try NIOSSLContext(configuration: dialling)

            var accepting = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
            accepting.minimumTLSVersion = .tlsv12
            if let roots { accepting.trustRoots = roots }
            // A dialling node has no name to compare: its certificate must be one of this CA, and is required.
            accepting.certificateVerification = roots == nil ? .none : .noHostnameVerification
            server = try NIOSSLContext(configuration: accepting)
        } catch {
            throw BastionError(
                .invalidConfiguration, "cannot use the TLS files of the peer connections",
                detail: "certificate \"\(files.certificatePath)\", key \"\(files.keyPath)\": \(error)")
        }
    }

    /// With a host name the server's certificate must carry it; with an address, the address.
    func clientHandler(host: String) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: client, serverHostname: TLSContexts.isAddress(host) ? nil : host)
    }

    func serverHandler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: server) }

    private static func isAddress(_ host: String) -> Bool {
        do {
            _ = try SocketAddress(ipAddress: host, port: 0)
            return true
        } catch {
            return false
        }
    }
}
