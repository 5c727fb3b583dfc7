import ClusterModel

/// Checks that a stream of bytes is one document in canonical JSON, in memory that does not grow with the document.
package struct CanonicalScanner {
    private enum Frame {
        case object(previous: [UInt8]?)
        case array
    }

    /// What the next byte may be. `start` and `item` expect a value; `first...` also accept the closing bracket.
    private enum Expectation {
        case value, firstItem, firstKey, key, colon, next, end
        case text(isKey: Bool), escape(isKey: Bool), unicode(isKey: Bool, digits: [UInt8])
        case number([UInt8])
        case word([UInt8])
    }

    /// The keys of the outermost object, in order; at most 256 are remembered.
    package private(set) var topLevelKeys: [String] = []
    private var frames: [Frame] = []
    private var expected = Expectation.value
    private var key: [UInt8] = []
    private var text = UTF8Check()
    private var offset = 0

    package init() {}

    package mutating func add(_ bytes: [UInt8]) throws(BastionError) {
        for byte in bytes {
            try take(byte)
            offset += 1
        }
    }

    /// - Throws: `.integrity` when the document is not complete.
    package mutating func finish() throws(BastionError) {
        if case .number(let digits) = expected, frames.isEmpty { try endNumber(digits) }
        guard case .end = expected else { throw problem("it ends too early") }
    }

    private mutating func take(_ byte: UInt8) throws(BastionError) {
        switch expected {
        case .text(let isKey): try takeText(byte, isKey)
        case .escape(let isKey): try takeEscape(byte, isKey)
        case .unicode(let isKey, let digits): try takeUnicode(byte, isKey, digits)
        case .number(let digits):
            if isDigit(byte) {
                guard digits.count < 17 else { throw problem("a number is too large") }
                expected = .number(digits + [byte])
            } else {
                try endNumber(digits)
                try take(byte)
            }
        case .word(let rest):
            guard byte == rest.first else { throw problem("unknown word") }
            if rest.count == 1 { endValue() } else { expected = .word(Array(rest.dropFirst())) }
        case .firstKey where byte == UInt8(ascii: "}"), .firstItem where byte == UInt8(ascii: "]"): close()
        case .firstKey, .key:
            guard byte == UInt8(ascii: "\"") else { throw problem("a key was expected") }
            key = []
            expected = .text(isKey: true)
        case .colon:
            guard byte == UInt8(ascii: ":") else { throw problem("\":\" was expected") }
            expected = .value
        case .value, .firstItem: try startValue(byte)
        case .next: try takeNext(byte)
        case .end: throw problem("bytes follow the document")
        }
    }

    private mutating func startValue(_ byte: UInt8) throws(BastionError) {
        switch byte {
        case UInt8(ascii: "{"): try open(.object(previous: nil), .firstKey)
        case UInt8(ascii: "["): try open(.array, .firstItem)
        case UInt8(ascii: "\""): expected = .text(isKey: false)
        case UInt8(ascii: "t"): expected = .word(Array("rue".utf8))
        case UInt8(ascii: "f"): expected = .word(Array("alse".utf8))
        case UInt8(ascii: "n"): expected = .word(Array("ull".utf8))
        case _ where isDigit(byte) || byte == UInt8(ascii: "-"): expected = .number([byte])
        default: throw problem("a value was expected")
        }
    }

    private mutating func takeNext(_ byte: UInt8) throws(BastionError) {
        switch (frames.last, byte) {
        case (.object, UInt8(ascii: "}")), (.array, UInt8(ascii: "]")): close()
        case (.object, UInt8(ascii: ",")): expected = .key
        case (.array, UInt8(ascii: ",")): expected = .value
        default: throw problem("\",\" or the end of a list or object was expected")
        }
    }

    // MARK: texts

    private mutating func takeText(_ byte: UInt8, _ isKey: Bool) throws(BastionError) {
        guard text.take(byte) else { throw problem("a text is not UTF-8") }
        guard text.isComplete else { return try keep(byte, isKey) }
        switch byte {
        case UInt8(ascii: "\""): if isKey { try endKey() } else { endValue() }
        case UInt8(ascii: "\\"): expected = .escape(isKey: isKey)
        case 0..<0x20: throw problem("a control character is not escaped")
        default: try keep(byte, isKey)
        }
    }

    private mutating func takeEscape(_ byte: UInt8, _ isKey: Bool) throws(BastionError) {
        let meaning: [UInt8: UInt8] = [0x22: 0x22, 0x5c: 0x5c, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9]
        if byte == UInt8(ascii: "u") {
            expected = .unicode(isKey: isKey, digits: [])
        } else if let meant = meaning[byte] {
            try keep(meant, isKey)
            expected = .text(isKey: isKey)
        } else {
            throw problem("an escape is not necessary")
        }
    }

    /// Only control characters without a short form may be written with `\u`.
    private mutating func takeUnicode(_ byte: UInt8, _ isKey: Bool, _ digits: [UInt8]) throws(BastionError) {
        let digits = digits + [byte]
        guard digits.count == 4 else { return expected = .unicode(isKey: isKey, digits: digits) }
        let written = String(decoding: digits, as: UTF8.self)
        guard let value = UInt8(written.dropFirst(2), radix: 16), value < 0x20, ![8, 9, 10, 12, 13].contains(value),
            written == (value < 16 ? "000" : "00") + String(value, radix: 16)
        else { throw problem("an escape is not necessary") }
        try keep(value, isKey)
        expected = .text(isKey: isKey)
    }

    private mutating func keep(_ byte: UInt8, _ isKey: Bool) throws(BastionError) {
        guard isKey else { return }
        guard key.count < CanonicalJSON.maximumKeyBytes else { throw problem("a key is too long") }
        key.append(byte)
    }

    private mutating func endKey() throws(BastionError) {
        if case .object(let previous?) = frames.last, !previous.lexicographicallyPrecedes(key) {
            throw problem("keys are not sorted, or one is given twice")
        }
        if frames.count == 1, topLevelKeys.count < 256 { topLevelKeys.append(String(decoding: key, as: UTF8.self)) }
        frames[frames.count - 1] = .object(previous: key)
        expected = .colon
    }

    // MARK: values

    private mutating func endNumber(_ digits: [UInt8]) throws(BastionError) {
        let written = String(decoding: digits, as: UTF8.self)
        guard let value = Int64(written), String(value) == written, value.magnitude <= CanonicalJSON.largestInteger.magnitude
        else { throw problem("a number is not an integer of at most 53 bits in its shortest form") }
        endValue()
    }

    private mutating func open(_ frame: Frame, _ next: Expectation) throws(BastionError) {
        guard frames.count < CanonicalJSON.maximumDepth else { throw problem("nested too deeply") }
        frames.append(frame)
        expected = next
    }

    private mutating func close() {
        frames.removeLast()
        endValue()
    }

    private mutating func endValue() { expected = frames.isEmpty ? .end : .next }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func problem(_ reason: String) -> BastionError {
        BastionError(.integrity, "a document is not canonical JSON", detail: "\(reason), at byte \(offset)")
    }
}

/// Well-formed UTF-8, byte by byte.
///
/// - Source: The Unicode Standard, table 3-7.
private struct UTF8Check {
    private var missing = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xbf

    /// Whether the byte just taken stands for itself. Continuation and lead bytes are above 0x7f and never a quote.
    var isComplete: Bool { missing == 0 }

    mutating func take(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard allowed.contains(byte) else { return false }
            missing -= 1
            allowed = 0x80...0xbf
            return true
        }
        switch byte {
        case 0..<0x80: return true
        case 0xc2...0xdf: missing = 1
        case 0xe0...0xef:
            missing = 2
            if byte == 0xe0 { allowed = 0xa0...0xbf }
            if byte == 0xed { allowed = 0x80...0x9f }
        case 0xf0...0xf4:
            missing = 3
            if byte == 0xf0 { allowed = 0x90...0xbf }
            if byte == 0xf4 { allowed = 0x80...0x8f }
        default: return false
        }
        return true
    }
}
