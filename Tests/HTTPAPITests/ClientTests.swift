import ClusterModel
import Testing

@testable import HTTPAPI

@Suite struct ClientTests {
    @Test func `addresses of daemons are read and printed`() throws {
        for text in [
            "unix:///run/pgbastion/api.sock", "http://node1:8080", "https://10.0.1.1:8443", "http://[::1]:8080",
        ] {
            #expect(try Endpoint(text).description == text)
        }
        #expect(try Endpoint("http://node1").description == "http://node1:8080")
        for bad in [
            "", "node1:8080", "ftp://x", "unix://relative", "http://", "http://a b", "http://n:0", "http://n:99999",
            "http://u@h:1", "http://h/path", "https://h\r\n:1",
        ] {
            let error = #expect(throws: BastionError.self, "\(bad)") { try Endpoint(bad) }
            #expect(error?.code == .usage)
        }
    }

    private func parse(_ text: String, step: Int, close: Bool = true, maximum: Int = 10_000) -> AnswerParser.Progress {
        var parser = AnswerParser(maximum: maximum)
        let bytes = Array(text.utf8)
        var last = AnswerParser.Progress.needsMore
        for start in stride(from: 0, to: bytes.count, by: step) {
            last = parser.feed(bytes[start..<min(start + step, bytes.count)])
            if case .needsMore = last { continue }
            return last
        }
        return close ? parser.finish() : last
    }

    private func body(_ progress: AnswerParser.Progress) -> String? {
        guard case .complete(let answer) = progress else { return nil }
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `answers are read by length, by chunks and to the end, in any pieces`(step: Int) {
        #expect(body(parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", step: step, close: false)) == "abc")
        #expect(
            body(
                parse(
                    "HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
                    step: step, close: false)) == "abcde")
        #expect(body(parse("HTTP/1.0 200 OK\r\n\r\nabc", step: step)) == "abc")
    }

    @Test func `answers that are broken, too long or cut are told apart from complete ones`() {
        for bad in [
            "", "SSH-2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        ] {
            guard case .broken = parse(bad, step: 5) else {
                Issue.record("accepted: \(bad)")
                continue
            }
        }
    }

    @Test func `mutated answers never crash the parser`() {
        var generator = SeededGenerator(state: 11)
        let seed = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
        for _ in 0..<3000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            var parser = AnswerParser(maximum: 100)
            if case .needsMore = parser.feed(bytes) { _ = parser.finish() }
        }
    }
}
