import ClusterModel

/// Reads one JSON document strictly and says where it is wrong (Q03).
///
/// - Source: RFC 8259. Duplicate names are refused: two readers would take different ones.
package struct JSONParser {
    /// Limit: nesting of arrays and objects.
    package static let maximumDepth = 32

    private let input: [UInt8]
    private var position = 0

    private init(_ input: [UInt8]) { self.input = input }

    /// Throws `invalid_request` with line and column.
    package static func parse(_ input: [UInt8]) throws(BastionError) -> JSONValue {
        var parser = JSONParser(input)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == input.count else { throw parser.error("unexpected text after the document") }
        return value
    }

    private mutating func value(depth: Int) throws(BastionError) -> JSONValue {
        guard depth <= JSONParser.maximumDepth else { throw error("nested deeper than \(JSONParser.maximumDepth)") }
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
        case .none: throw error("the document ends too early")
        default: throw error("a value was expected")
        }
    }

    private mutating func object(depth: Int) throws(BastionError) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a field name in quotes was expected") }
            let start = position
            let name = try text()
            guard !members.contains(where: { $0.name == name }) else {
                position = start
                throw error("field \"\(name)\" is given twice")
            }
            skipSpace()
            guard take(":") else { throw error("\":\" was expected") }
            skipSpace()
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("\",\" or \"}\" was expected") }
        }
    }

    private mutating func array(depth: Int) throws(BastionError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw error("\",\" or \"]\" was expected") }
        }
    }

    private mutating func text() throws(BastionError) -> String {
        position += 1
        var bytes: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: bytes, as: UTF8.self) else { throw error("text is not UTF-8") }
                return text
            case UInt8(ascii: "\\"):
                position += 1
                bytes += try escape()
            case 0..<0x20: throw error("a control character in text must be escaped")
            default:
                bytes.append(byte)
                position += 1
            }
        }
        throw error("text without closing quote")
    }

    private mutating func escape() throws(BastionError) -> [UInt8] {
        guard let byte = peek else { throw error("the document ends too early") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"): return Array(String(Character(try unicodeScalar())).utf8)
        default: throw error("unknown escape")
        }
    }

    private mutating func unicodeScalar() throws(BastionError) -> Unicode.Scalar {
        let first = try fourHexadecimalDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else { throw error("half of a surrogate pair") }
        let second = try fourHexadecimalDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half of a surrogate pair") }
        return scalar
    }

    private mutating func fourHexadecimalDigits() throws(BastionError) -> UInt32 {
        let end = position + 4
        guard end <= input.count else { throw error("four hexadecimal digits were expected") }
        var value: UInt32 = 0
        while position < end {
            guard let digit = Character(Unicode.Scalar(input[position])).hexDigitValue else {
                throw error("four hexadecimal digits were expected")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private mutating func number() throws(BastionError) -> JSONValue {
        let start = position
        _ = take("-")
        let leadingZero = peek == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !(leadingZero && whole > 1) else { throw error("a number was expected") }
        if take(".") {
            guard digits() > 0 else { throw error("digits were expected after the point") }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw error("digits were expected in the exponent") }
        }
        return .number(String(decoding: input[start..<position], as: UTF8.self))
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek, isDigit(byte) { position += 1 }
        return position - start
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(BastionError) -> JSONValue {
        guard input[position...].starts(with: word.utf8) else { throw error("a value was expected") }
        position += word.utf8.count
        return value
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var peek: UInt8? { position < input.count ? input[position] : nil }
    private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private func error(_ what: String) -> BastionError {
        let before = input[..<min(position, input.count)]
        let line = before.count { $0 == 0x0A } + 1
        let column = position - (before.lastIndex(of: 0x0A) ?? -1)
        return BastionError(.invalidRequest, "malformed JSON at line \(line), column \(column): \(what)")
    }
}
