import NIOCore

/// The first packet of a client, read before a server is chosen (PX5).
///
/// - Source: PostgreSQL manual, "Message Formats": StartupMessage, SSLRequest, GSSENCRequest, CancelRequest.
package enum StartupPacket: Sendable, Hashable {
    /// Asks for protocol 3 with parameters; the server reads them.
    case session
    /// SSLRequest or GSSENCRequest: passed to the chosen server, which answers with one byte.
    case encryptionRequest
    /// Carries a process id and a secret that only the right server knows.
    case cancel

    package enum Parsed: Sendable, Hashable {
        /// More bytes are needed.
        case incomplete
        /// The packet fills the first `length` bytes.
        case complete(StartupPacket, length: Int)
        /// Not PostgreSQL; the reason is for the client.
        case malformed(String)
    }

    package static let lengths = 8...10_000
    private static let cancelCode: UInt32 = 80_877_102
    private static let encryptionCodes: Set<UInt32> = [80_877_103, 80_877_104]
    /// 16 bytes; PostgreSQL 18 may use a key of up to 256 bytes.
    private static let cancelLengths = 16...268

    /// Judges the readable bytes without consuming them. Decides as soon as the header allows, so garbage is refused
    /// after eight bytes.
    package static func parse(_ bytes: ByteBuffer) -> Parsed {
        guard let length = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self).map(Int.init) else {
            return .incomplete
        }
        guard lengths.contains(length) else { return .malformed("length of startup packet is \(length)") }
        guard let code = bytes.getInteger(at: bytes.readerIndex + 4, as: UInt32.self) else { return .incomplete }
        guard let kind = kind(code: code, length: length) else {
            return .malformed("code \(code) of startup packet is unknown")
        }
        return bytes.readableBytes < length ? .incomplete : .complete(kind, length: length)
    }

    private static func kind(code: UInt32, length: Int) -> StartupPacket? {
        if code == cancelCode { return cancelLengths.contains(length) ? .cancel : nil }
        if encryptionCodes.contains(code) { return length == 8 ? .encryptionRequest : nil }
        return code >> 16 == 3 ? .session : nil
    }
}
