import ClusterModel

/// Checks that a stream of bytes is one document in canonical JSON, in memory that does not grow with the document.
package struct CanonicalScanner {
    /// One open array or object. `previous` is the last key of an object; it is only compared with the next one.
    private struct Frame {
        var isObject: Bool
        var hasKey = false
        var previous: [UInt8] = []
    }

    private struct Number {
        var isNegative = false
        var digits = 0
        var startsWithZero = false
        var value: Int64 = 0
    }

    /// What the next byte may be. `value` and `firstItem` expect a value; `first...` also accept the closing bracket.
    private enum Expectation {
        case value, firstItem, firstKey, key, colon, next, end
        case text, escape, unicode, number, word
    }

    /// The keys of the outermost object, in order; at most 256 are remembered.
    package private(set) var topLevelKeys: [String] = []
    /// The first `depth` are open; those behind them keep their room for the next ones.
    private var frames: [Frame] = []
    private var depth = 0
    private var expected = Expectation.value
    /// Of `text`, `escape` and `unicode`: the text is a key.
    private var isKey = false
    private var key: [UInt8] = []
    /// Digits of an escape.
    private var pending: [UInt8] = []
    /// The rest of `true`, `false` or `null`, its next character in the lowest byte.
    private var word: UInt32 = 0
    private var number = Number()
    private var text = UTF8Check()
    private var offset = 0

    package init() {}

    package mutating func add(_ bytes: [UInt8]) throws(BastionError) {
        var outcome = Result<Void, BastionError>.success(())
        bytes.withUnsafeBufferPointer { buffer in outcome = Result { () throws(BastionError) in try scan(buffer) } }
        try outcome.get()
    }

    /// Long runs of plain characters and of digits are taken at once: they are most of a document.
    private mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) throws(BastionError) {
        var i = 0
        while i < bytes.count {
            var end = i
            switch expected {
            case .text where text.isComplete:
                while end < bytes.count, CanonicalScanner.isPlain(bytes[end]) { end += 1 }
                if isKey, end > i { try keep(bytes[i..<end]) }
            case .number:
                while end < bytes.count, isDigit(bytes[end]) {
                    try takeDigit(bytes[end])
                    end += 1
                }
            default: break
            }
            offset += end - i
            i = end
            guard i < bytes.count else { return }
            if bytes[i] == UInt8(ascii: "\""), case .text = expected, text.isComplete {
                try endText()
            } else {
                try take(bytes[i])
            }
            offset += 1
            i += 1
        }
    }

    /// Characters of a text that stand for themselves.
    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5c }

    /// - Throws: `.integrity` when the document is not complete.
    package mutating func finish() throws(BastionError) {
        if case .number = expected, depth == 0 { try endNumber() }
        guard case .end = expected else { throw problem("it ends too early") }
    }

    private mutating func take(_ byte: UInt8) throws(BastionError) {
        switch expected {
        case .text: try takeText(byte)
        case .escape: try takeEscape(byte)
        case .unicode: try takeUnicode(byte)
        case .number:
            // `scan` took the digits.
            try endNumber()
            try take(byte)
        case .word:
            guard byte == UInt8(truncatingIfNeeded: word) else { throw problem("unknown word") }
            word >>= 8
            if word == 0 { endValue() }
        case .firstKey where byte == UInt8(ascii: "}"), .firstItem where byte == UInt8(ascii: "]"): close()
        case .firstKey, .key:
            guard byte == UInt8(ascii: "\"") else { throw problem("a key was expected") }
            key.removeAll(keepingCapacity: true)
            isKey = true
            expected = .text
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
        case UInt8(ascii: "{"): try open(isObject: true, .firstKey)
        case UInt8(ascii: "["): try open(isObject: false, .firstItem)
        case UInt8(ascii: "\""):
            isKey = false
            expected = .text
        case UInt8(ascii: "t"): startWord("eur")
        case UInt8(ascii: "f"): startWord("esla")
        case UInt8(ascii: "n"): startWord("llu")
        case UInt8(ascii: "-"):
            number = Number(isNegative: true)
            expected = .number
        case _ where isDigit(byte):
            number = Number()
            try takeDigit(byte)
            expected = .number
        default: throw problem("a value was expected")
        }
    }

    /// - Parameter rest: The characters that have to follow, last one first.
    private mutating func startWord(_ rest: StaticString) {
        word = rest.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt32($1) } }
        expected = .word
    }

    private mutating func takeNext(_ byte: UInt8) throws(BastionError) {
        switch (frames[depth - 1].isObject, byte) {
        case (true, UInt8(ascii: "}")), (false, UInt8(ascii: "]")): close()
        case (true, UInt8(ascii: ",")): expected = .key
        case (false, UInt8(ascii: ",")): expected = .value
        default: throw problem("\",\" or the end of a list or object was expected")
        }
    }

    // MARK: texts

    private mutating func takeText(_ byte: UInt8) throws(BastionError) {
        guard text.take(byte) else { throw problem("a text is not UTF-8") }
        guard text.isComplete else { return try keep(byte) }
        switch byte {
        case UInt8(ascii: "\""): try endText()
        case UInt8(ascii: "\\"): expected = .escape
        case 0..<0x20: throw problem("a control character is not escaped")
        default: try keep(byte)
        }
    }

    private mutating func takeEscape(_ byte: UInt8) throws(BastionError) {
        let meant: UInt8
        switch byte {
        case 0x22, 0x5c: meant = byte
        case UInt8(ascii: "b"): meant = 8
        case UInt8(ascii: "f"): meant = 12
        case UInt8(ascii: "n"): meant = 10
        case UInt8(ascii: "r"): meant = 13
        case UInt8(ascii: "t"): meant = 9
        case UInt8(ascii: "u"):
            pending.removeAll(keepingCapacity: true)
            expected = .unicode
            return
        default: throw problem("an escape is not necessary")
        }
        try keep(meant)
        expected = .text
    }

    /// Only control characters without a short form may be written with `\u`.
    private mutating func takeUnicode(_ byte: UInt8) throws(BastionError) {
        pending.append(byte)
        guard pending.count == 4 else { return }
        let written = String(decoding: pending, as: UTF8.self)
        guard let value = UInt8(written.dropFirst(2), radix: 16), value < 0x20, ![8, 9, 10, 12, 13].contains(value),
            written == (value < 16 ? "000" : "00") + String(value, radix: 16)
        else { throw problem("an escape is not necessary") }
        try keep(value)
        expected = .text
    }

    private mutating func keep(_ byte: UInt8) throws(BastionError) {
        guard isKey else { return }
        guard key.count < CanonicalJSON.maximumKeyBytes else { throw problem("a key is too long") }
        key.append(byte)
    }

    private mutating func keep(_ run: Slice<UnsafeBufferPointer<UInt8>>) throws(BastionError) {
        guard key.count + run.count <= CanonicalJSON.maximumKeyBytes else { throw problem("a key is too long") }
        key.append(contentsOf: run)
    }

    private mutating func endText() throws(BastionError) {
        if isKey { try endKey() } else { endValue() }
    }

    private mutating func endKey() throws(BastionError) {
        let last = depth - 1
        if frames[last].hasKey, !frames[last].previous.lexicographicallyPrecedes(key) {
            throw problem("keys are not sorted, or one is given twice")
        }
        if last == 0, topLevelKeys.count < 256 { topLevelKeys.append(String(decoding: key, as: UTF8.self)) }
        frames[last].hasKey = true
        // The room of both is used again.
        swap(&frames[last].previous, &key)
        expected = .colon
    }

    // MARK: values

    private mutating func takeDigit(_ digit: UInt8) throws(BastionError) {
        guard number.digits < 17 else { throw problem("a number is too large") }
        if number.digits == 0 { number.startsWithZero = digit == UInt8(ascii: "0") }
        number.digits += 1
        number.value = number.value * 10 + Int64(digit - UInt8(ascii: "0"))
    }

    private mutating func endNumber() throws(BastionError) {
        guard number.digits > 0, !number.startsWithZero || (number.digits == 1 && !number.isNegative) else {
            throw problem("a number is not in its shortest form")
        }
        guard number.value <= CanonicalJSON.largestInteger else {
            throw problem("a number is not an integer of at most 53 bits in its shortest form")
        }
        endValue()
    }

    private mutating func open(isObject: Bool, _ next: Expectation) throws(BastionError) {
        guard depth < CanonicalJSON.maximumDepth else { throw problem("nested too deeply") }
        if depth == frames.count { frames.append(Frame(isObject: isObject)) }
        frames[depth].isObject = isObject
        frames[depth].hasKey = false
        depth += 1
        expected = next
    }

    private mutating func close() {
        depth -= 1
        endValue()
    }

    private mutating func endValue() { expected = depth == 0 ? .end : .next }

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
