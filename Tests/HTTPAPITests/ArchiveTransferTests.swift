import ClusterModel
import Glibc
import Logging
import Operations
import Synchronization
import Testing

@testable import HTTPAPI

/// Step 3 of `backup create`: what arrived counts only when the trailers say the same (C3).
@Suite struct ArchiveTransferTests {
    private static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Archive-Name: main-x.tar.gz\r\n\r\n"

    private func read(_ text: String, step: Int) -> (end: AnswerParser.Progress, body: String) {
        let taken = Mutex<[UInt8]>([])
        var parser = AnswerParser(maximum: 10_000) { bytes in
            taken.withLock { $0 += bytes }
            return true
        }
        var end = AnswerParser.Progress.needsMore
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: step) {
            end = parser.feed(bytes[start..<min(start + step, bytes.count)])
            guard case .needsMore = end else { break }
        }
        if case .needsMore = end { end = parser.finish() }
        return (end, String(decoding: taken.withLock { $0 }, as: UTF8.self))
    }

    @Test(arguments: [1, 2, 5, 1000])
    func `the body goes to the sink as it comes, and trailers follow`(step: Int) {
        let (end, body) = read(
            Self.head + "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Content-SHA256: aa\r\nX-Content-Length: 7\r\n\r\n", step: step)
        guard case .complete(let answer) = end else {
            Issue.record("not complete: \(end)")
            return
        }
        #expect(body == "abcdefg")
        #expect(answer.body.isEmpty)
        #expect(answer.trailer("x-content-sha256") == "aa")
        #expect(answer.trailer("x-content-length") == "7")
    }

    @Test(arguments: ["3\r\nabc\r\n", "3\r\nab", "3\r\nabc\r\n0\r\n", "3\r\nabc\r\n0\r\nX-Content-Length: 3\r\n"])
    func `a cut stream is never complete`(rest: String) {
        guard case .broken = read(Self.head + rest, step: 3).end else {
            Issue.record("accepted: \(rest)")
            return
        }
    }

    @Test func `an answer that is an error keeps its body`() {
        let text = "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        let (end, body) = read(text, step: 4)
        guard case .complete(let answer) = end else {
            Issue.record("not complete")
            return
        }
        #expect(answer.status == 503 && String(decoding: answer.body, as: UTF8.self) == "abc" && body.isEmpty)
    }
}

/// The same over a real socket.
@Suite struct ArchiveRouteTests {
    private static let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func fetch(
        sha256: String = SHA256.hex(bytes), size: Int = bytes.count, breaksAfter: Int = .max
    ) async throws -> (name: String, bytes: [UInt8]) {
        let path = "/tmp/pgbastion-archive-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        var node = testNode(RecordedGateway(ExampleCluster.healthy))
        node.archive = { (request, _) throws(BastionError) in
            let position = Mutex(0)
            return BuiltArchive(name: "\(request.series)-\(request.labels["k"] ?? "").tar.gz", size: UInt64(size), sha256: sha256) {
                () throws(BastionError) -> [UInt8] in
                let start = position.withLock { $0 }
                guard start < breaksAfter else { throw BastionError(.io, "the disk broke") }
                let end = min(start + 70_000, Self.bytes.count)
                position.withLock { $0 = end }
                return Array(Self.bytes[start..<end])
            }
        }
        let settings = APISettings(
            binds: [.init(host: "127.0.0.1", port: 0)], metricsBinds: [.init(host: "127.0.0.1", port: 0)], socketPath: path,
            token: { nil }, tls: nil, shutdownTimeout: .seconds(1), limits: .init())
        let server = try HTTPAPIServer(settings: settings, node: node, logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        _ = try await server.waitUntilListening()
        let invoker = HTTPOperationInvoker(settings: ClientSettings(endpoints: [try Endpoint("unix://" + path)]))
        let taken = Mutex<[UInt8]>([])
        let result: Result<String, any Error>
        do {
            result = .success(
                try await invoker.fetchArchive(
                    ArchiveRequest(series: "s", labels: ["k": "v=1 ä"]), timeout: .seconds(20)
                ) { (piece) throws(BastionError) in taken.withLock { $0 += piece } })
        } catch {
            result = .failure(error)
        }
        await server.stop()
        _ = await running.result
        unlink(path)
        return (try result.get(), taken.withLock { $0 })
    }

    @Test func `an archive arrives as it was sent`() async throws {
        let (name, bytes) = try await fetch()
        #expect(name == "s-v=1 ä.tar.gz" || name.hasPrefix("s-v=1"))
        #expect(bytes == Self.bytes)
    }

    @Test func `a wrong hash, a wrong length and a stream that breaks are 9`() async throws {
        for (sha256, size, breaks) in [
            (String(repeating: "0", count: 64), Self.bytes.count, Int.max), (SHA256.hex(Self.bytes), 5, Int.max),
            (SHA256.hex(Self.bytes), Self.bytes.count, 140_000),
        ] {
            let error = await #expect(throws: BastionError.self) {
                try await fetch(sha256: sha256, size: size, breaksAfter: breaks)
            }
            #expect(error?.code == .integrity)
        }
    }

    @Test func `reading the archive needs the role operate`() async {
        let api = TestAPI()
        #expect(await api.send("GET", "/v1/backup/archive", peer: .address("127.0.0.1")).status == 401)
        #expect(await api.send("GET", "/v1/backup/archive?mode=none").status == 400)
    }

    @Test func `a claimed window is told from a first claim`() async throws {
        let claim = #"{"series":"default","window":5,"window_seconds":3600,"by":"node1"}"#
        #expect(
            String(decoding: await TestAPI().send("POST", "/v1/backup/claim", body: claim).body, as: UTF8.self) == "{\"claimed\":true}\n")
        let taken = TestAPI(
            failing(BastionError(.preconditionFailed, "refused", checks: [FailedCheck(id: "backup.window_unclaimed", actual: "x")])))
        #expect(String(decoding: await taken.send("POST", "/v1/backup/claim", body: claim).body, as: UTF8.self) == "{\"claimed\":false}\n")
    }
}
