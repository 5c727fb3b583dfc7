import NIOSSL

/// When certificates end, for the metrics page (row 39).
package enum CertificateDates {
    /// Seconds since 1970 at which the first certificate of a PEM file ends; nil when the file cannot be read.
    package static func notAfter(_ path: String) -> Double? {
        do {
            return try NIOSSLCertificate.fromPEMFile(path).map { Double($0.notValidAfter) }.min()
        } catch {
            // Whoever uses the file says what is wrong with it.
            return nil
        }
    }
}
