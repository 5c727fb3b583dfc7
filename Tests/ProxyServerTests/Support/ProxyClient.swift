import NIOCore
import NIOPosix

/// A client of the proxy that keeps what it is sent.
struct ProxyClient: Sendable {
    struct Record: Sendable, CustomStringConvertible {
        var bytes: [UInt8] = []
        var inputClosed = false
        var isGone = false
        var wasReset = false
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var error: [Character: String] { Wire.error(in: bytes) }
        var description: String {
            "\(bytes.count) bytes, inputClosed \(inputClosed), isGone \(isGone), wasReset \(wasReset), error \(error)"
        }
    }
    let record = Watched(Record())
    let channel: any Channel

    private init(channel: any Channel, _ handler: (Watched<Record>) throws -> Void) rethrows {
        self.channel = channel
        try handler(record)
    }

    static func connect(_ port: Int?, reading: Bool = true) async throws -> ProxyClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port ?? 0).get()
        let client = ProxyClient(channel: channel) { _ in }
        let record = client.record
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(ClientRecorder(record))
        }.get()
        if reading { client.startReading() }
        return client
    }

    /// Connects and waits until the session is ready for a query.
    static func session(_ port: Int?) async throws -> ProxyClient {
        let client = try await connect(port)
        client.send(Wire.startup)
        try await client.record.wait("ready or an end") {
            $0.bytes.suffix(6).starts(with: [0x5A, 0, 0, 0, 5]) || $0.isGone || $0.inputClosed
        }
        return client
    }

    /// The server a new session is led to.
    static func who(_ port: Int?) async throws -> String {
        let client = try await session(port)
        return try await client.who()
    }

    /// The error a new session ends with.
    static func refusal(_ port: Int?) async throws -> [Character: String] {
        let client = try await session(port)
        return try await client.end()
    }

    func startReading() { channel.setOption(.autoRead, value: true).whenFailure { _ in } }
    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// The name of the server that answers, or "" when the session ended.
    func who() async throws -> String {
        record.update { $0.bytes = [] }
        send(Wire.query("who"))
        let bytes = try await record.wait("answer") { $0.bytes.count >= 16 || $0.isGone || $0.inputClosed }.bytes
        guard bytes.count >= 5, bytes[0] == UInt8(ascii: "D") else { return "" }
        return String(decoding: bytes[5..<min(Int(bytes[4]) + 1, bytes.count)], as: UTF8.self)
    }

    /// Waits for the end, closes, and gives the fields of the last error.
    func end() async throws -> [Character: String] {
        let error = try await record.wait("end") { $0.isGone || $0.inputClosed }.error
        try await close()
        return error
    }

    func close() async throws {
        do { try await channel.close() } catch ChannelError.alreadyClosed {}
    }
}

extension Collection where Element: Equatable {
    func ends(with other: some Collection<Element>) -> Bool { suffix(other.count).elementsEqual(other) }
}

private final class ClientRecorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let record: Watched<ProxyClient.Record>
    init(_ record: Watched<ProxyClient.Record>) { self.record = record }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).readableBytesView)
        record.update { $0.bytes += bytes }
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { record.update { $0.inputClosed = true } }
    }
    func channelInactive(context: ChannelHandlerContext) { record.update { $0.isGone = true } }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        record.update { $0.wasReset = true }
        context.close(promise: nil)
    }
}
