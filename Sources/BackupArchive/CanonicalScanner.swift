import ClusterModel

/// Checks that a stream of bytes is one document in canonical JSON, in memory that does not grow with the document.
package struct CanonicalScanner {
    /// One open array or object. `previous` is the last key of an object; it is only compared with the next one.
    private struct Frame {
        var isObject: Bool
        var hasKey = false
        var previous: [UInt8] = []
    }

    /// What the next byte may be. `value` and `firstItem` expect a value; `first...` also accept the closing bracket.
    private enum Expectation {
        case value, firstItem, firstKey, key, colon, next, end
        case text, escape, unicode, number, word
    }

    /// The keys of the outermost object, in order; at most 256 are remembered.
    package private(set) var topLevelKeys: [String] = []
    private var frames: [Frame] = []
    private var expected = Expectation.value
    /// Of `text`, `escape` and `unicode`: the text is a key.
    private var isKey = false
    private var key: [UInt8] = []
    /// Digits of a number, of an escape, or the rest of a word.
    private var pending: [UInt8] = []
    private var text = UTF8Check()
    private var offset = 0

    package init() {}

    package mutating func add(_ bytes: [UInt8]) throws(BastionError) {
        var i = 0
        while i < bytes.count {
            if case .text = expected, text.isComplete {
                let plain = CanonicalScanner.plainRun(bytes, from: i)
                if plain > i {
                    if isKey { try keep(bytes[i..<plain]) }
                    offset += plain - i
                    i = plain
                    continue
                }
            }
            try take(bytes[i])
            offset += 1
            i += 1
        }
    }

    /// The end of the characters from `start` on that stand for themselves.
    private static func plainRun(_ bytes: [UInt8], from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            var i = start
            while i < buffer.count, buffer[i] >= 0x20, buffer[i] < 0x80, buffer[i] != 0x22, buffer[i] != 0x5c { i += 1 }
            return i
        }
    }

    /// - Throws: `.integrity` when the document is not complete.
    package mutating func finish() throws(BastionError) {
        if case .number = expected, frames.isEmpty { try endNumber() }
        guard case .end = expected else { throw problem("it ends too early") }
    }

    private mutating func take(_ byte: UInt8) throws(BastionError) {
        switch expected {
        case .text: try takeText(byte)
        case .escape: try takeEscape(byte)
        case .unicode: try takeUnicode(byte)
        case .number:
            if isDigit(byte) {
                guard pending.count < 17 else { throw problem("a number is too large") }
                pending.append(byte)
            } else {
                try endNumber()
                try take(byte)
            }
        case .word:
            guard byte == pending.last else { throw problem("unknown word") }
            pending.removeLast()
            if pending.isEmpty { endValue() }
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
        case UInt8(ascii: "{"): try open(Frame(isObject: true), .firstKey)
        case UInt8(ascii: "["): try open(Frame(isObject: false), .firstItem)
        case UInt8(ascii: "\""):
            isKey = false
            expected = .text
        case UInt8(ascii: "t"): startWord("eur")
        case UInt8(ascii: "f"): startWord("esla")
        case UInt8(ascii: "n"): startWord("llu")
        case _ where isDigit(byte) || byte == UInt8(ascii: "-"):
            pending.removeAll(keepingCapacity: true)
            pending.append(byte)
            expected = .number
        default: throw problem("a value was expected")
        }
    }

    /// - Parameter rest: The characters that have to follow, last one first.
    private mutating func startWord(_ rest: StaticString) {
        pending.removeAll(keepingCapacity: true)
        rest.withUTF8Buffer { pending.append(contentsOf: $0) }
        expected = .word
    }

    private mutating func takeNext(_ byte: UInt8) throws(BastionError) {
        let isObject = frames.last?.isObject
        switch (isObject, byte) {
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
        case UInt8(ascii: "\""): if isKey { try endKey() } else { endValue() }
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

    private mutating func keep(_ run: ArraySlice<UInt8>) throws(BastionError) {
        guard key.count + run.count <= CanonicalJSON.maximumKeyBytes else { throw problem("a key is too long") }
        key.append(contentsOf: run)
    }

    private mutating func endKey() throws(BastionError) {
        let last = frames.count - 1
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

    private mutating func endNumber() throws(BastionError) {
        let isNegative = pending.first == UInt8(ascii: "-")
        let digits = isNegative ? pending.dropFirst() : pending[...]
        guard let first = digits.first, first != UInt8(ascii: "0") || (digits.count == 1 && !isNegative) else {
            throw problem("a number is not in its shortest form")
        }
        var value: Int64 = 0
        for digit in digits { value = value * 10 + Int64(digit - UInt8(ascii: "0")) }
        guard value <= CanonicalJSON.largestInteger else {
            throw problem("a number is not an integer of at most 53 bits in its shortest form")
        }
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
