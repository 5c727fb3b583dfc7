import NIOCore

/// One frame on a connection between two nodes.
///
/// | bytes | field |
/// |---|---|
/// | 4 | magic `PGBR` |
/// | 1 | version of this layout |
/// | 1 | kind |
/// | 2 | zero |
/// | 4 | length of the payload |
/// | 8 | id of a request; else 0 |
/// | 4 | CRC-32C of everything between magic and this field, and of the payload |
///
/// Numbers are little-endian. What cannot be a frame closes the connection; a frame longer than the limit is refused
/// by its header, before anything is kept for it.
struct PeerFrame: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        /// JSON of a `HandshakeMessage`: the first frame in either direction.
        case hello = 1
        /// JSON of a `Rejection`: the last frame.
        case reject = 2
        case message = 3
        case request = 4
        case response = 5
        /// JSON of a `Rejection`: the answer to a request that was not carried out.
        case failure = 6
    }

    static let magic: UInt32 = 0x5242_4750
    static let version: UInt8 = 1
    static let headerBytes = 24

    var kind: Kind
    var id: UInt64 = 0
    var payload: [UInt8]

    func encode(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: PeerFrame.headerBytes + payload.count)
        buffer.writeInteger(PeerFrame.magic, endianness: .little)
        buffer.writeInteger(PeerFrame.version)
        buffer.writeInteger(kind.rawValue)
        buffer.writeInteger(UInt16(0))
        buffer.writeInteger(UInt32(payload.count), endianness: .little)
        buffer.writeInteger(id, endianness: .little)
        buffer.writeInteger(
            PeerFrame.checksum(kind: kind.rawValue, id: id, length: UInt32(payload.count), payload: payload),
            endianness: .little)
        buffer.writeBytes(payload)
        return buffer
    }

    static func checksum(kind: UInt8, id: UInt64, length: UInt32, payload: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.add(UInt64(version) | UInt64(kind) << 8 | UInt64(length) << 32)
        crc.add(id)
        crc.add(payload)
        return crc.value
    }
}

/// Why bytes are not a frame.
enum FrameError: Error, Hashable {
    case wrongMagic
    case unknownVersion(UInt8)
    case unknownKind(UInt8)
    case tooLong(bytes: Int, limit: Int)
    case wrongChecksum
}

/// Cuts a stream of bytes into frames.
final class PeerFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = PeerFrame

    /// Limit: before the handshake is done a frame is at most this long.
    static let handshakeLimit = 64 * 1024

    /// The longest payload accepted; raised by `PeerConnection` once the other side is known.
    var limit = PeerFrameDecoder.handshakeLimit

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let frame = try next(&buffer) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    func next(_ buffer: inout ByteBuffer) throws(FrameError) -> PeerFrame? {
        let start = buffer.readerIndex
        guard let magic = buffer.getInteger(at: start, endianness: .little, as: UInt32.self) else { return nil }
        guard magic == PeerFrame.magic else { throw .wrongMagic }
        guard buffer.readableBytes >= PeerFrame.headerBytes,
            let version = buffer.getInteger(at: start + 4, as: UInt8.self),
            let rawKind = buffer.getInteger(at: start + 5, as: UInt8.self),
            let reserved = buffer.getInteger(at: start + 6, as: UInt16.self),
            let length = buffer.getInteger(at: start + 8, endianness: .little, as: UInt32.self),
            let id = buffer.getInteger(at: start + 12, endianness: .little, as: UInt64.self),
            let crc = buffer.getInteger(at: start + 20, endianness: .little, as: UInt32.self)
        else { return nil }
        guard version == PeerFrame.version, reserved == 0 else { throw .unknownVersion(version) }
        guard let kind = PeerFrame.Kind(rawValue: rawKind) else { throw .unknownKind(rawKind) }
        guard Int(length) <= limit else { throw .tooLong(bytes: Int(length), limit: limit) }
        guard buffer.readableBytes >= PeerFrame.headerBytes + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: PeerFrame.headerBytes)
        let payload = buffer.readBytes(length: Int(length)) ?? []
        guard PeerFrame.checksum(kind: rawKind, id: id, length: length, payload: payload) == crc else {
            throw .wrongChecksum
        }
        return PeerFrame(kind: kind, id: id, payload: payload)
    }
}
