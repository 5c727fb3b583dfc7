import ClusterModel
import Glibc
import HTTPAPI
import Logging
import Operations
import ServiceLifecycle
import Testing

/// The server and the client over real sockets on loopback.
@Suite struct ServerTests {
    /// Starts a server on free ports and a socket of its own, and stops it at the end.
    private func withServer(
        _ gateway: RecordedGateway = RecordedGateway(ExampleCluster.healthy), token: String? = "s3cret",
        tls: APISettings.TLSFiles? = nil, limits: APISettings.Limits = .init(),
        _ body: (BoundAddresses, HTTPAPIServer) async throws -> Void
    ) async throws {
        let path = "/tmp/pgbastion-api-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        let settings = APISettings(
            binds: [.init(host: "127.0.0.1", port: 0)], metricsBinds: [.init(host: "127.0.0.1", port: 0)],
            socketPath: path, token: { token.map { Array($0.utf8) } }, tls: tls, shutdownTimeout: .seconds(1),
            limits: limits)
        let server = try HTTPAPIServer(settings: settings, node: testNode(gateway), logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        do {
            try await body(try await server.waitUntilListening(), server)
        } catch {
            await server.stop()
            _ = await running.result
            throw error
        }
        await server.stop()
        try await running.value
        unlink(path)
    }

    private func invoker(
        _ endpoints: [String], token: String? = nil, insecure: Bool = false, authority: String? = nil
    ) throws -> HTTPOperationInvoker {
        var parsed: [Endpoint] = []
        for endpoint in endpoints { parsed.append(try Endpoint(endpoint)) }
        return HTTPOperationInvoker(
            settings: ClientSettings(
                endpoints: parsed, token: token.map { .init(value: Array($0.utf8), source: "PGBASTION_TOKEN") },
                authorityFile: authority, isInsecure: insecure, connectTimeout: .seconds(2)))
    }

    private func call(_ operation: String, _ input: String = "{}", key: String? = nil, wait: Duration? = nil) throws
        -> OperationCall
    {
        OperationCall(
            operation: operation, input: Array(input.utf8), requestID: try #require(RequestID("abc123")),
            idempotencyKey: key.flatMap { RequestID($0) }, waitLimit: wait, timeout: .seconds(20))
    }

    @Test func `a client reads and changes over the unix socket without a token`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy)
        try await withServer(gateway) { bound, _ in
            let path = try #require(bound.socketPath)
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660)
            let client = try invoker(["unix://\(path)"])
            let answer = try OperationEnvelope(parsing: try await client.invoke(try call("leader")))
            #expect(answer.data?["name"]?.string == "node2")
            #expect(answer.requestID == "abc123")
            _ = try await client.invoke(try call("failover", #"{"to":"node2"}"#, key: "k1"))
            #expect(await gateway.submissions.first?.metadata.idempotencyKey?.rawValue == "k1")
            #expect(await gateway.submissions.first?.metadata.actor == "uid \(getuid()) over unix socket")
        }
    }

    @Test func `a client over TCP sends its token, and a rejected one is exit 4 naming the source`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy)
        try await withServer(gateway) { bound, _ in
            let address = "http://127.0.0.1:\(try #require(bound.api.first).port)"
            _ = try await invoker([address], token: "s3cret").invoke(try call("failover"))
            #expect(await gateway.submissions.first?.metadata.actor == "token from 127.0.0.1")
            let wrong = await #expect(throws: BastionError.self) {
                try await invoker([address], token: "hunter2").invoke(try call("failover"))
            }
            #expect(wrong?.code == .forbidden && wrong?.code.exitStatus == 4)
            #expect(wrong?.message == "the token from PGBASTION_TOKEN was rejected")
            let none = await #expect(throws: BastionError.self) {
                try await invoker([address]).invoke(try call("failover"))
            }
            #expect(none?.code == .unauthenticated)
        }
    }

    @Test func `endpoints are tried in order and all that failed are listed`() async throws {
        try await withServer { bound, _ in
            let good = "http://127.0.0.1:\(try #require(bound.api.first).port)"
            let client = try invoker(["unix:///nowhere/api.sock", "http://127.0.0.1:1", good])
            #expect(try OperationEnvelope(parsing: try await client.invoke(try call("leader"))).error == nil)
        }
        let error = await #expect(throws: BastionError.self) {
            try await invoker(["unix:///nowhere/api.sock", "http://127.0.0.1:1"]).invoke(try call("leader"))
        }
        #expect(error?.code.exitStatus == 5)
        #expect(
            error?.detail
                == "unix:///nowhere/api.sock: the socket does not exist\nhttp://127.0.0.1:1: connection refused")
    }

    @Test func `E17 the metrics listener serves its page without a token and nothing else`() async throws {
        try await withServer { bound, _ in
            let port = try #require(bound.metrics.first).port
            let client = try invoker(["http://127.0.0.1:\(port)"], token: "wrong")
            let page = try await client.get("/metrics", timeout: .seconds(10))
            #expect(page.status == 200)
            #expect(String(decoding: page.body, as: UTF8.self).contains("pgbastion_raft_term"))
            #expect(page.headers.contains { $0.name == "content-type" && $0.value.hasPrefix("text/plain") })
            #expect(try await client.get("/raft/state", timeout: .seconds(10)).status == 404)
        }
    }

    @Test func `Q07 HEAD has the length and no body, Q09 a document ends with a newline`() async throws {
        try await withServer { bound, _ in
            let port = try #require(bound.api.first).port
            let head = try await rawExchange(
                port: port, "HEAD /raft/state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200"))
            #expect(head.hasSuffix("\r\n\r\n"))
            #expect(!head.lowercased().contains("content-length: 0\r\n"))
            let get = try await rawExchange(
                port: port, "GET /raft/state/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(get.hasSuffix("}\n"))
            #expect(get.lowercased().contains("x-request-id: "))
        }
    }

    @Test func `H09 a body over the limit is 413 and one that does not arrive is 408`() async throws {
        var limits = APISettings.Limits()
        limits.bodyBytes = 1000
        limits.body = .milliseconds(200)
        limits.header = .milliseconds(300)
        try await withServer(limits: limits) { bound, _ in
            let port = try #require(bound.api.first).port
            let start = "POST /cluster/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            let large = try await rawExchange(
                port: port, start + "Content-Length: 2000\r\n\r\n" + String(repeating: " ", count: 2000))
            #expect(large.hasPrefix("HTTP/1.1 413"))
            let slow = try await rawExchange(port: port, start + "Content-Length: 5\r\n\r\n{")
            #expect(slow.hasPrefix("HTTP/1.1 408"))
            #expect(try await rawExchange(port: port, "GET /raft/st") == "")
        }
    }

    @Test func `H09 requests that are not HTTP do not stop the server`() async throws {
        var generator = SeededGenerator(state: 3)
        try await withServer { bound, _ in
            let port = try #require(bound.api.first).port
            for _ in 0..<60 {
                var bytes = Array(
                    "POST /cluster/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".utf8)
                for _ in 0..<3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                try await rawSend(port: port, bytes)
            }
            let client = try invoker(["http://127.0.0.1:\(port)"])
            #expect(try await client.get("/raft/state", timeout: .seconds(10)).status == 200)
        }
    }

    @Test func `an address in use stops the start with the port in the message`() async throws {
        try await withServer { bound, _ in
            let taken = try #require(bound.api.first)
            let server = try HTTPAPIServer(
                settings: APISettings(binds: [taken]), node: testNode(RecordedGateway(ExampleCluster.healthy)),
                logger: Logger(label: "test"))
            let running = Task { try await server.run() }
            let error = await #expect(throws: BastionError.self) { try await server.waitUntilListening() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.detail?.contains(":\(taken.port)") == true)
            await #expect(throws: BastionError.self) { try await running.value }
        }
    }

    @Test func `a change whose answer is lost is not sent again without an idempotency key`() async throws {
        try await withServer { bound, _ in
            let good = "http://127.0.0.1:\(try #require(bound.api.first).port)"
            let deaf = try DeafListener()
            let client = try invoker(["http://127.0.0.1:\(deaf.port)", good], token: "s3cret")
            let lost = await #expect(throws: BastionError.self) { try await client.invoke(try call("failover")) }
            #expect(lost?.code == .timeout)
            #expect(lost?.detail?.contains("not sent again") == true)
            let kept = try await client.invoke(try call("failover", key: "k2"))
            #expect(try OperationEnvelope(parsing: kept).error == nil)
            #expect(try OperationEnvelope(parsing: try await client.invoke(try call("leader"))).error == nil)
            deaf.stop()
        }
    }

    @Test func `https verifies the server against the authority, and --insecure does not`() async throws {
        let files = try TestFiles(["cert.pem": TestCertificate.certificate, "key.pem": TestCertificate.key])
        defer { files.remove() }
        let tls = APISettings.TLSFiles(certificate: files.path("cert.pem"), key: files.path("key.pem"))
        try await withServer(tls: tls) { bound, server in
            let address = "https://127.0.0.1:\(try #require(bound.api.first).port)"
            for client in [
                try invoker([address], token: "s3cret", authority: tls.certificate),
                try invoker([address], token: "s3cret", insecure: true),
            ] {
                #expect(try OperationEnvelope(parsing: try await client.invoke(try call("leader"))).error == nil)
            }
            let untrusted = await #expect(throws: BastionError.self) {
                try await invoker([address], token: "s3cret").invoke(try call("failover"))
            }
            #expect(untrusted?.code == .unavailable)
            try server.reloadCertificates()
            try files.write("cert.pem", "rubbish")
            #expect(throws: BastionError.self) { try server.reloadCertificates() }
            let after = try await invoker([address], insecure: true).invoke(try call("leader"))
            #expect(try OperationEnvelope(parsing: after).error == nil)
        }
    }

    @Test func `a surrounding service group stops the server gracefully`() async throws {
        let server = try HTTPAPIServer(
            settings: APISettings(binds: [.init(host: "127.0.0.1", port: 0)], shutdownTimeout: .seconds(1)),
            node: testNode(RecordedGateway(ExampleCluster.healthy)), logger: Logger(label: "test"))
        let group = ServiceGroup(services: [server], logger: Logger(label: "test"))
        let running = Task { try await group.run() }
        _ = try await server.waitUntilListening()
        await group.triggerGracefulShutdown()
        try await running.value
    }
}
