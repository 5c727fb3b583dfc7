import ClusterModel
import Glibc
import HTTPAPI
import Logging
import Operations
import Testing

/// What clients can do to the server's sockets, and cannot.
@Suite struct ServerLimitTests {
    private func withServer(
        tls: APISettings.TLSFiles? = nil, limits: APISettings.Limits = .init(), _ body: (Int) async throws -> Void
    ) async throws {
        let settings = APISettings(
            binds: [.init(host: "127.0.0.1", port: 0)], token: { Array("s3cret".utf8) }, tls: tls, shutdownTimeout: .seconds(1),
            limits: limits)
        let node = testNode(RecordedGateway(ExampleCluster.healthy))
        let server = try HTTPAPIServer(settings: settings, node: node, logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        do {
            try await body(try #require(try await server.waitUntilListening().api.first).port)
        } catch {
            await server.stop()
            _ = await running.result
            throw error
        }
        await server.stop()
        try await running.value
    }

    /// Status and document of an answer; nil when the connection ended without one, or it is an archive or a page.
    private func parsed(_ answer: String) throws -> (status: Int, body: JSONValue)? {
        let isOther = ["application/gzip", "text/html"].contains { answer.lowercased().contains("content-type: \($0)") }
        guard !answer.isEmpty, !isOther else { return nil }
        let status = try #require(Int(answer.dropFirst(9).prefix(3)), "\(answer)")
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        #expect(answer.lowercased().contains("content-type: application/json"), "\(answer)")
        #expect(answer.lowercased().contains("x-request-id: "), "\(answer)")
        let body = try #require(parts.count == 2 ? parts[1] : nil, "\(answer)")
        return (status, try JSONParser.parse(Array(body.utf8)))
    }

    @Test func `Q09 what is no HTTP is answered with one document as well`() async throws {
        try await withServer { port in
            let wrong = [
                "GET /raft/state HTTQ/1.1\r\n\r\n", "nonsense\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "POST /cluster/pause HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "POST /cluster/pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "a", count: 200_000))\r\n\r\n",
            ]
            for text in wrong {
                let answer = try await rawExchange(port: port, text)
                let (status, body) = try #require(try parsed(answer), "\(text.prefix(60)): no answer")
                #expect(status == 400 && body["code"]?.string == "invalid_request", "\(text.prefix(60))")
            }
        }
    }

    @Test func `H09 the head of a second request has the same deadline as the first`() async throws {
        var limits = APISettings.Limits()
        limits.header = .milliseconds(300)
        try await withServer(limits: limits) { port in
            let clock = ContinuousClock()
            let start = clock.now
            let answer = try await rawDialogue(port: port, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", "GET /live")
            #expect(answer.contains(#""status":"live""#))
            #expect(clock.now - start < .seconds(15), "the connection stayed open")
        }
    }

    @Test func `H09 connections beyond the limit wait, and are served when others end`() async throws {
        var limits = APISettings.Limits()
        limits.connections = 8
        limits.header = .milliseconds(500)
        try await withServer(limits: limits) { port in
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<40 { group.addTask { try await rawExchange(port: port, "GET /li") } }
                group.addTask {
                    try await rawExchange(port: port, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                }
                var served = 0
                for try await answer in group where answer.contains("live") { served += 1 }
                #expect(served == 1)
            }
        }
    }

    @Test func `X08 the stream flows over a real connection and ends with the server`() async throws {
        var reading: Task<String, any Error>?
        try await withServer { port in
            let clock = ContinuousClock()
            let task = Task { try await rawExchange(port: port, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n") }
            reading = task
            let deadline = clock.now + .seconds(3)
            while clock.now < deadline { try await clock.sleep(for: .milliseconds(50)) }
        }
        let text = try await reading?.value ?? ""
        #expect(text.contains("text/event-stream"))
        #expect(text.components("event: cluster_update") >= 2, "\(text.prefix(300))")
    }

    @Test func `fuzz: damaged requests of the stream get its beginning, one document or none, and no client is left over`() async throws {
        var generator = SeededGenerator(state: 12)
        var limits = APISettings.Limits()
        limits.header = .milliseconds(500)
        limits.idle = .milliseconds(500)
        try await withServer(limits: limits) { port in
            // More than the clients that may listen at once: each leaves after its first answer.
            for _ in 0..<(EventFeed.maximumClients + 36) {
                var bytes = Array("GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nLast-Event-ID: a-1\r\n\r\n".utf8)
                for _ in 0..<Int.random(in: 0...3, using: &generator) {
                    bytes[Int.random(in: 0..<(bytes.count - 40), using: &generator)] = UInt8.random(in: 0x20...0x7E, using: &generator)
                }
                let answer = try await rawDialogue(port: port, String(decoding: bytes, as: UTF8.self))
                guard !answer.isEmpty, !answer.hasSuffix("\r\n\r\n"), !answer.contains("text/event-stream") else { continue }
                _ = try parsed(answer)
            }
            // What has left is forgotten when the next event goes out.
            let deadline = ContinuousClock.now + .seconds(60)
            var answer = ""
            while !answer.contains("text/event-stream"), ContinuousClock.now < deadline {
                answer = try await rawDialogue(port: port, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            }
            #expect(answer.contains("text/event-stream"), "\(answer.prefix(300))")
        }
    }

    @Test func `mTLS lets in only clients with a certificate of the authority`() async throws {
        let files = try TestFiles(["cert.pem": TestCertificate.certificate, "key.pem": TestCertificate.key])
        defer { files.remove() }
        let tls = APISettings.TLSFiles(
            certificate: files.path("cert.pem"), key: files.path("key.pem"), authority: files.path("cert.pem"))
        try await withServer(tls: tls) { port in
            let call = OperationCall(
                operation: "leader", input: Array("{}".utf8), requestID: try #require(RequestID("abc123")), timeout: .seconds(10))
            func client(_ certificate: String?) throws -> HTTPOperationInvoker {
                HTTPOperationInvoker(
                    settings: ClientSettings(
                        endpoints: [try Endpoint("https://127.0.0.1:\(port)")],
                        token: .init(value: Array("s3cret".utf8), source: "test"), authorityFile: tls.certificate,
                        certificateFile: certificate, keyFile: certificate == nil ? nil : tls.key, connectTimeout: .seconds(2)))
            }
            let answer = try await client(tls.certificate).invoke(call)
            #expect(try OperationEnvelope(parsing: answer).error == nil)
            await #expect(throws: BastionError.self) { try await client(nil).invoke(call) }
        }
    }

    @Test func `fuzz: damaged requests of every route get one document or none, and the server lives`() async throws {
        var generator = SeededGenerator(state: 11)
        // A damaged "Connection: close" or length leaves the connection open: it shall not cost the test its time.
        var limits = APISettings.Limits()
        limits.header = .milliseconds(500)
        limits.body = .milliseconds(500)
        limits.idle = .milliseconds(500)
        try await withServer(limits: limits) { port in
            let routes = RouteTable.served.filter { !$0.hasSuffix(" /events") }
            for round in 0..<300 {
                let route = routes[round % routes.count].split(separator: " ")
                let body = [#"{"id":"node4","address":"x"}"#, "{", "null", "[]", "\u{0}", ""].randomElement(using: &generator) ?? ""
                var bytes = Array(
                    ("\(route[0]) \(route[1])?wait=1ms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Authorization: Bearer s3cret\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8)
                for _ in 0..<Int.random(in: 0...3, using: &generator) {
                    // The end of the head stays, so that the answer comes at once.
                    let index = Int.random(in: 0..<(bytes.count - body.utf8.count - 40), using: &generator)
                    bytes[index] = UInt8.random(in: 0x20...0x7E, using: &generator)
                }
                let answer = try await rawExchange(port: port, String(decoding: bytes, as: UTF8.self))
                guard !answer.isEmpty, !answer.hasSuffix("\r\n\r\n"), !answer.contains("text/event-stream") else { continue }
                _ = try parsed(answer)
            }
            let alive = try await rawExchange(port: port, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(alive.contains("live"))
        }
    }
}

extension String {
    /// How often `text` occurs.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
