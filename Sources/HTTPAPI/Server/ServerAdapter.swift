import ClusterModel
import HTTPTypes
import HummingbirdCore
import NIOCore
import Operations

/// Between the server library and `APIRequest`/`APIResponse`.
struct ServerAdapter: Sendable {
    let limits: APISettings.Limits
    let answer: @Sendable (APIRequest) async -> APIResponse

    func respond(to request: Request, writer: consuming ResponseWriter, channel: any Channel) async throws {
        var response: APIResponse
        var mustClose = false
        let peer = await peer(of: channel)
        let head = apiRequest(request, body: [], peer)
        do {
            let body = try await readBody(request)
            response = await answer(apiRequest(request, body: body, peer))
        } catch let error as BastionError {
            // H09: what was not read would be taken for the next request.
            mustClose = true
            let id = head.header("x-request-id").flatMap { RequestID($0) } ?? RequestIDs.random()
            response = .failure(error, requestID: id.rawValue, status: error.code == .timeout ? 408 : nil)
            response.headers += [(name: "X-Request-ID", value: id.rawValue), (name: "Connection", value: "close")]
        }
        try await write(response, isHead: request.method == .head, writer)
        if mustClose {
            // The client reads the answer first; a reset would take it away.
            channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        }
    }

    private func peer(of channel: any Channel) async -> APIRequest.Peer {
        switch channel.remoteAddress {
        case .v4, .v6: .address(channel.remoteAddress?.ipAddress ?? "unknown")
        case .unixDomainSocket: .unixSocket(await PeerCredentials.read(channel))
        case nil where channel.localAddress?.pathname != nil: .unixSocket(await PeerCredentials.read(channel))
        case nil: .address("unknown")
        }
    }

    private func apiRequest(_ request: Request, body: [UInt8], _ peer: APIRequest.Peer) -> APIRequest {
        APIRequest(
            method: request.method.rawValue, target: request.head.path ?? "/",
            headers: request.headers.map { (name: $0.name.canonicalName, value: $0.value) }, body: body, peer: peer)
    }

    /// - Throws: `too_large`, or `timeout` when the body does not arrive in time.
    private func readBody(_ request: Request) async throws -> [UInt8] {
        if let text = request.headers[.contentLength], let length = Int(text), length > limits.bodyBytes {
            throw tooLarge
        }
        let hasBody = request.headers[.contentLength].map { $0 != "0" } ?? (request.headers[.transferEncoding] != nil)
        guard hasBody else { return [] }
        let limits = limits
        return try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask { try await collect(request.body) }
            group.addTask {
                try await ContinuousClock().sleep(for: limits.body)
                throw BastionError(.timeout, "the body did not arrive within \(limits.body.inSeconds) s")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    private func collect(_ body: RequestBody) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in body {
            guard bytes.count + part.readableBytes <= limits.bodyBytes else { throw tooLarge }
            bytes += part.readableBytesView
        }
        return bytes
    }

    private var tooLarge: BastionError {
        BastionError(.tooLarge, "the body is larger than \(limits.bodyBytes) bytes")
    }

    private func write(_ response: APIResponse, isHead: Bool, _ writer: consuming ResponseWriter) async throws {
        var fields = HTTPFields()
        fields[.contentType] = response.contentType
        if response.stream == nil, response.archive == nil { fields[.contentLength] = "\(response.body.count)" }
        fields[.cacheControl] = "no-store"
        for header in response.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields[name] = header.value
        }
        let head = HTTPResponse(status: .init(code: response.status), headerFields: fields)
        guard !isHead else {
            try await writer.writeResponse(head)
            return
        }
        if let archive = response.archive { return try await write(archive, head, writer) }
        guard let stream = response.stream else {
            try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
            return
        }
        var body = try await writer.writeHead(head)
        for await part in stream { try await body.write(ByteBuffer(bytes: part)) }
        try await body.finish(nil)
    }

    /// Whoever reads it compares the trailers with what arrived: an error on the way just ends the stream.
    private func write(_ archive: BuiltArchive, _ head: HTTPResponse, _ writer: consuming ResponseWriter) async throws {
        var body = try await writer.writeHead(head)
        while true {
            let piece = try archive.next()
            if piece.isEmpty { break }
            try await body.write(ByteBuffer(bytes: piece))
        }
        var trailers = HTTPFields()
        if let name = HTTPField.Name(ArchiveHeaders.sha256) { trailers[name] = archive.sha256 }
        if let name = HTTPField.Name(ArchiveHeaders.length) { trailers[name] = "\(archive.size)" }
        try await body.finish(trailers)
    }
}
