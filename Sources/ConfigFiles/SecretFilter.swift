/// Takes secrets out of text that was not written to be handed on: log lines, JSON documents, configuration.
///
/// Known secrets are found wherever they stand, also escaped as JSON or in a URL; others by what stands before them:
/// `password=`, `"passphrase":`, `Bearer `, `//user:...@`. JSON stays JSON.
package struct SecretFilter: Sendable {
    /// Limit: a secret shorter than this is not looked for outside its own place; it would hit innocent text.
    private static let findableBytes = 4
    private static let keys = ["password", "passwd", "passphrase", "auth_token", "client_secret"].map { Array($0.utf8) }
    private static let bearer = Array("bearer ".utf8)
    private static let authority = Array("://".utf8)

    /// Every form of every known secret, by its first byte, long ones first.
    private var known: [UInt8: [[UInt8]]] = [:]

    package init(secrets: [Secret] = []) {
        var forms: Set<[UInt8]> = []
        for secret in secrets.map(\.revealed) where secret.utf8.count >= Self.findableBytes && secret != ConfigurationRedaction.mark {
            forms.formUnion([Array(secret.utf8), Self.escapedForJSON(secret), Self.escapedForURL(secret)])
        }
        for form in forms.sorted(by: { $0.count > $1.count }) { known[form[0], default: []].append(form) }
    }

    package func clean(_ text: String) -> String { String(decoding: clean(Array(text.utf8)), as: UTF8.self) }

    package func clean(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var i = 0
        while i < bytes.count {
            if let form = known[bytes[i]]?.first(where: { bytes[i...].starts(with: $0) }) {
                output += ConfigurationRedaction.mark.utf8
                i += form.count
            } else if let found = place(in: bytes, at: i) {
                output += bytes[i..<found.value.lowerBound]
                output += (found.needsQuotes ? "\"\(ConfigurationRedaction.mark)\"" : ConfigurationRedaction.mark).utf8
                i = found.value.upperBound
            } else {
                output.append(bytes[i])
                i += 1
            }
        }
        return output
    }

    // MARK: what stands before a secret

    private struct Place {
        var value: Range<Int>
        /// A bare value of a JSON object.
        var needsQuotes = false
    }

    private func place(in bytes: [UInt8], at start: Int) -> Place? {
        switch bytes[start] | 0x20 {
        case UInt8(ascii: "p"), UInt8(ascii: "a"), UInt8(ascii: "c"):
            guard let key = Self.keys.first(where: { Self.matches($0, in: bytes, at: start) }) else { return nil }
            return value(in: bytes, after: start + key.count)
        case UInt8(ascii: "b"):
            guard Self.matches(Self.bearer, in: bytes, at: start) else { return nil }
            let begin = start + Self.bearer.count
            let end = Self.end(in: bytes, from: begin)
            return end > begin ? Place(value: begin..<end) : nil
        case UInt8(ascii: ":"):
            guard bytes[start...].starts(with: Self.authority) else { return nil }
            return password(in: bytes, authority: start + Self.authority.count)
        default: return nil
        }
    }

    /// Behind `password`: `=x`, `: x`, `='x y'`, `": "x"`, `=\"x\"`.
    private func value(in bytes: [UInt8], after key: Int) -> Place? {
        var i = key
        let isName = i < bytes.count && bytes[i] == UInt8(ascii: "\"")
        if isName { i += 1 }
        i = Self.skipSpaces(bytes, i)
        guard i < bytes.count, bytes[i] == UInt8(ascii: "=") || bytes[i] == UInt8(ascii: ":") else { return nil }
        i = Self.skipSpaces(bytes, i + 1)
        guard i < bytes.count else { return nil }
        let isEscaped = bytes[i] == UInt8(ascii: "\\") && i + 1 < bytes.count && bytes[i + 1] == UInt8(ascii: "\"")
        if isEscaped || bytes[i] == UInt8(ascii: "\"") || bytes[i] == UInt8(ascii: "'") {
            let begin = i + (isEscaped ? 2 : 1)
            var end = begin
            while end < bytes.count, bytes[end] != 0x0A {
                if isEscaped, bytes[end] == UInt8(ascii: "\\"), bytes[end...].dropFirst().first == UInt8(ascii: "\"") { break }
                if !isEscaped, bytes[end] == bytes[i] { break }
                end += !isEscaped && bytes[end] == UInt8(ascii: "\\") ? 2 : 1
            }
            end = min(end, bytes.count)
            return end > begin ? Place(value: begin..<end) : nil
        }
        let end = Self.end(in: bytes, from: i)
        let word = String(decoding: bytes[i..<end], as: UTF8.self)
        guard end > i, !["null", "true", "false"].contains(word), !word.hasPrefix("{"), !word.hasPrefix("[") else { return nil }
        return Place(value: i..<end, needsQuotes: isName)
    }

    /// `user:secret@` of a URL.
    private func password(in bytes: [UInt8], authority: Int) -> Place? {
        var end = authority
        while end < bytes.count, !Self.endsAuthority.contains(bytes[end]) { end += 1 }
        guard let at = bytes[authority..<end].lastIndex(of: UInt8(ascii: "@")),
            let colon = bytes[authority..<at].firstIndex(of: UInt8(ascii: ":")), colon + 1 < at
        else { return nil }
        return Place(value: colon + 1..<at)
    }

    private static let endsAuthority = Set(" /?#\"'\\\t\r\n<>".utf8)
    private static let endsWord = Set(" ,;&\"'\\\t\r\n)}]".utf8)

    private static func end(in bytes: [UInt8], from start: Int) -> Int {
        var end = start
        while end < bytes.count, !endsWord.contains(bytes[end]) { end += 1 }
        return end
    }

    private static func skipSpaces(_ bytes: [UInt8], _ start: Int) -> Int {
        var i = start
        while i < bytes.count, bytes[i] == 0x20 || bytes[i] == 0x09 { i += 1 }
        return i
    }

    /// Letters in either case.
    private static func matches(_ word: [UInt8], in bytes: [UInt8], at start: Int) -> Bool {
        guard start + word.count <= bytes.count else { return false }
        return word.indices.allSatisfy { k in
            let byte = bytes[start + k]
            return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 == word[k] : byte == word[k]
        }
    }

    // MARK: forms of a secret

    private static func escapedForJSON(_ text: String) -> [UInt8] {
        text.utf8.flatMap { byte -> [UInt8] in
            byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
        }
    }

    private static func escapedForURL(_ text: String) -> [UInt8] {
        text.utf8.flatMap { byte -> [UInt8] in
            let isPlain =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || Set("-._~".utf8).contains(byte)
            if isPlain { return [byte] }
            let digits = String(byte, radix: 16, uppercase: true)
            return Array(("%" + (digits.utf8.count == 1 ? "0" : "") + digits).utf8)
        }
    }
}
