/// Reads one HTTP/1.1 answer as its bytes arrive.
///
/// - Source: RFC 9112, sections 4, 6 and 7.
struct AnswerParser {
    enum Progress {
        case needsMore
        case complete(ClientAnswer)
        case broken(String)
    }

    private enum Framing {
        case length(Int)
        case chunked
        case untilClose
    }

    /// Limit: status line and headers.
    private static let maximumHead = 64 * 1024

    private let maximum: Int
    /// Takes the body of a chunked answer that is no error, as it comes; false: it cannot take more.
    private let sink: (@Sendable ([UInt8]) -> Bool)?
    private var bytes: [UInt8] = []
    /// Of a chunked answer: what was read so far, and where the next chunk begins in `bytes`.
    private var chunked: [UInt8] = []
    private var next = 0
    private var bodyStart: Int?
    private var status = 0
    private var headers: [(name: String, value: String)] = []
    private var framing = Framing.untilClose

    init(maximum: Int, sink: (@Sendable ([UInt8]) -> Bool)? = nil) {
        self.maximum = maximum
        self.sink = sink
    }

    mutating func feed(_ more: some Sequence<UInt8>) -> Progress {
        bytes += more
        guard bytes.count <= maximum + AnswerParser.maximumHead else {
            return .broken("its answer is larger than \(maximum) bytes")
        }
        return progress(isClosed: false)
    }

    /// The daemon has closed the connection.
    mutating func finish() -> Progress {
        if bytes.isEmpty { return .broken("it closed the connection without an answer") }
        let end = progress(isClosed: true)
        if case .needsMore = end { return .broken("its answer is incomplete") }
        return end
    }

    private mutating func progress(isClosed: Bool) -> Progress {
        if bodyStart == nil {
            guard let end = AnswerParser.find([13, 10, 13, 10], in: bytes, from: 0) else {
                return bytes.count > AnswerParser.maximumHead ? .broken("its answer has no end of headers") : .needsMore
            }
            guard parseHead(end) else { return .broken("its answer is not HTTP/1.1") }
            bodyStart = end + 4
            next = end + 4
        }
        guard let start = bodyStart else { return .needsMore }
        switch framing {
        case .length(let length):
            guard length <= maximum else { return .broken("its answer is larger than \(maximum) bytes") }
            return bytes.count - start >= length ? complete(Array(bytes[start..<start + length])) : .needsMore
        case .untilClose: return isClosed ? complete(Array(bytes[start...])) : .needsMore
        case .chunked: return chunks()
        }
    }

    private func complete(_ body: [UInt8], trailers: [(name: String, value: String)] = []) -> Progress {
        .complete(ClientAnswer(status: status, headers: headers, body: body, trailers: trailers))
    }

    private mutating func parseHead(_ end: Int) -> Bool {
        guard let text = String(validating: bytes[..<end], as: UTF8.self) else { return false }
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let first = lines[0].split(separator: " ", maxSplits: 2)
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), let code = Int(first[1]), (100...599).contains(code)
        else {
            return false
        }
        status = code
        guard let read = AnswerParser.fields(lines.dropFirst()) else { return false }
        headers = read
        if headers.contains(where: { $0.name == "transfer-encoding" && $0.value.lowercased().hasSuffix("chunked") }) {
            framing = .chunked
        } else if let length = headers.first(where: { $0.name == "content-length" }) {
            guard let count = Int(length.value), count >= 0 else { return false }
            framing = .length(count)
        }
        return true
    }

    private static func fields(_ lines: some Sequence<Substring>) -> [(name: String, value: String)]? {
        var fields: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((name: line[..<colon].lowercased(), value: String(value)))
        }
        return fields
    }

    private mutating func chunks() -> Progress {
        while true {
            guard let lineEnd = AnswerParser.find([13, 10], in: bytes, from: next) else { return .needsMore }
            let digits = bytes[next..<lineEnd].prefix { $0 != UInt8(ascii: ";") }
            let size = String(validating: digits, as: UTF8.self).flatMap { Int($0, radix: 16) }
            guard let size, size >= 0, size <= maximum - chunked.count else {
                return .broken("its answer has a bad chunk")
            }
            let dataStart = lineEnd + 2
            if size == 0 { return trailers(from: dataStart) }
            guard bytes.count >= dataStart + size + 2 else { return .needsMore }
            let data = bytes[dataStart..<dataStart + size]
            next = dataStart + size + 2
            if let sink, status == 200 {
                guard sink(Array(data)) else { return .broken("its answer could not be kept") }
                bytes.removeFirst(next)
                next = 0
            } else {
                chunked += data
            }
        }
    }

    /// - Source: RFC 9112, section 7.1.2.
    private func trailers(from start: Int) -> Progress {
        if bytes.count >= start + 2, bytes[start] == 13, bytes[start + 1] == 10 { return complete(chunked) }
        guard let end = AnswerParser.find([13, 10, 13, 10], in: bytes, from: start) else { return .needsMore }
        guard let text = String(validating: bytes[start..<end], as: UTF8.self),
            let fields = AnswerParser.fields(text.split(separator: "\r\n"))
        else { return .broken("the end of its answer is malformed") }
        return complete(chunked, trailers: fields)
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= pattern.count, start <= bytes.count - pattern.count else { return nil }
        return (start...(bytes.count - pattern.count)).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
