import ClusterModel
import NIOCore
import NIOPosix

/// A server that speaks as much of PostgreSQL's protocol as the proxy can see.
///
/// Queries: `who` answers its name; `half` begins an answer; `begin` leaves a transaction open; `silent` gets no answer; `bulk N` answers with N
/// bytes; `shut` closes the sending direction; `die` closes without a word; `deaf` stops reading for good.
struct FakePostgres: Sendable {
    struct Record: Sendable {
        var sessions = 0
        var open = 0
        var cancels: [[UInt8]] = []
        var queries: [String] = []
        var bytesReceived = 0
        var inputsClosed = 0
    }
    let name: NodeName
    let record: Watched<Record>
    let channel: any Channel

    static func start(_ name: NodeName, port: Int = 0, encryptionAnswer: String = "N") async throws -> FakePostgres {
        let record = Watched(Record())
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        FakeSession(name: name, answer: encryptionAnswer, record: record))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return FakePostgres(name: name, record: record, channel: channel)
    }

    var backend: RoutingTable.Backend {
        RoutingTable.Backend(node: name, host: "127.0.0.1", port: channel.localAddress?.port ?? 0)
    }

    func stop() async throws { try await channel.close() }
}

private final class FakeSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let name: NodeName
    private let answer: String
    private let record: Watched<FakePostgres.Record>
    private var buffer = ByteBuffer()
    private var isStarted = false
    private var isEncrypted = false

    init(name: NodeName, answer: String, record: Watched<FakePostgres.Record>) {
        self.name = name
        self.answer = answer
        self.record = record
    }

    func channelActive(context: ChannelHandlerContext) { record.update { $0.open += 1 } }
    func channelInactive(context: ChannelHandlerContext) { record.update { $0.open -= 1 } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        let count = bytes.readableBytes
        record.update { $0.bytesReceived += count }
        if isEncrypted { return context.writeAndFlush(data, promise: nil) }  // echoes what it cannot read
        buffer.writeBuffer(&bytes)
        while isStarted ? readMessage(context) : readStartup(context) {}
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        record.update { $0.inputsClosed += 1 }
        if !isStarted || isEncrypted { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func readStartup(_ context: ChannelHandlerContext) -> Bool {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
            let code = buffer.getInteger(at: buffer.readerIndex + 4, as: UInt32.self),
            let packet = buffer.readBytes(length: Int(length))
        else { return false }
        if code == 80_877_102 {
            record.update { $0.cancels.append(packet) }
            context.close(promise: nil)
            return false
        }
        if code == 80_877_103 || code == 80_877_104 {
            isEncrypted = answer != "N"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            return !isEncrypted
        }
        isStarted = true
        record.update { $0.sessions += 1 }
        var out = ByteBuffer(bytes: Wire.message("R", [0, 0, 0, 0]))
        out.writeBytes(Wire.ready("I"))
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        return true
    }

    private func readMessage(_ context: ChannelHandlerContext) -> Bool {
        guard let kind = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
            let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self),
            buffer.readableBytes > Int(length)
        else { return false }
        buffer.moveReaderIndex(forwardBy: 5)
        let body = buffer.readBytes(length: Int(length) - 4) ?? []
        switch kind {
        case UInt8(ascii: "X"): context.close(promise: nil)
        case UInt8(ascii: "Q"): answer(String(decoding: body.dropLast(), as: UTF8.self), context)
        default: break
        }
        return true
    }

    private func answer(_ query: String, _ context: ChannelHandlerContext) {
        record.update { $0.queries.append(query) }
        var out = ByteBuffer()
        switch query.split(separator: " ").first {
        case "who": out.writeBytes(Wire.message("D", Array(name.rawValue.utf8)) + Wire.ready("I"))
        case "half": out.writeBytes(Wire.message("D", [1]))
        case "begin": out.writeBytes(Wire.message("C", Array("BEGIN\0".utf8)) + Wire.ready("T"))
        case "bulk":
            let count = Int(query.dropFirst(5)) ?? 0
            out.writeBytes(Wire.message("d", Array(repeating: 7, count: count)) + Wire.ready("I"))
        case "shut": return context.close(mode: .output, promise: nil)
        case "die": return context.close(promise: nil)
        case "deaf":
            context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
            return
        default: return
        }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
    }
}

/// The frames of PostgreSQL's protocol.
enum Wire {
    static func message(_ kind: Character, _ body: [UInt8]) -> [UInt8] {
        Array(String(kind).utf8) + int32(body.count + 4) + body
    }
    static func ready(_ state: Character) -> [UInt8] { message("Z", Array(String(state).utf8)) }
    static func int32(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
    static let startup: [UInt8] = {
        let body = int32(196_608) + Array("user\0alice\0database\0shop\0\0".utf8)
        return int32(body.count + 4) + body
    }()
    static let sslRequest: [UInt8] = int32(8) + int32(80_877_103)
    static func cancel(keyLength: Int = 4) -> [UInt8] {
        int32(12 + keyLength) + int32(80_877_102) + int32(4711) + Array(repeating: 9, count: keyLength)
    }
    static func query(_ text: String) -> [UInt8] { message("Q", Array(text.utf8) + [0]) }
    static let terminate: [UInt8] = message("X", [])

    /// The fields of an ErrorResponse at the end of `bytes`, by field letter.
    static func error(in bytes: [UInt8]) -> [Character: String] {
        guard let start = lastError(in: bytes) else { return [:] }
        var fields: [Character: String] = [:]
        for field in bytes[(start + 5)...].split(separator: 0) {
            guard let code = field.first else { continue }
            fields[Character(UnicodeScalar(code))] = String(decoding: field.dropFirst(), as: UTF8.self)
        }
        return fields
    }
    private static func lastError(in bytes: [UInt8]) -> Int? {
        let mark = Array("SFATAL\0VFATAL\0".utf8)
        guard bytes.count >= mark.count + 5 else { return nil }
        return (0...(bytes.count - mark.count - 5)).last { start in
            bytes[start] == UInt8(ascii: "E") && bytes[(start + 5)..<(start + 5 + mark.count)].elementsEqual(mark)
        }
    }
}
