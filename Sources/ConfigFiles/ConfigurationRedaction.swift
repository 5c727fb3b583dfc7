import ClusterModel

/// Takes the secrets out of a configuration file and leaves everything else as it is, comments and layout included.
package enum ConfigurationRedaction {
    /// Stands where a secret stood.
    package static let mark = "!redacted"
    /// Limit: a secret shorter than this is not looked for outside its own place; it would hit innocent text.
    private static let findableBytes = 6

    package struct Redacted: Sendable, Hashable {
        package var bytes: [UInt8]
        /// Keys that lost their value, or a part of it, in the order of the file: `api.auth_token`.
        package var paths: [String]
        /// What was taken out, so that it can be looked for elsewhere.
        package var secrets: [Secret]
    }

    package static func redact(path: String) throws(ConfigurationErrors) -> Redacted {
        let bytes: [UInt8]
        do throws(FileProblem) {
            bytes = try SmallFile.read(path, limit: YAMLDocument.maximumBytes)
        } catch {
            throw ConfigurationErrors(
                path, [Diagnostic(.error, file: path, position: .start, "could not read the file: \(error.reason)")])
        }
        return try redact(bytes, file: path)
    }

    /// - Throws: The errors of the file when it is no sound YAML: what cannot be understood cannot be cleaned.
    package static func redact(_ bytes: [UInt8], file: String) throws(ConfigurationErrors) -> Redacted {
        let root = try YAMLDocument.parse(bytes, file: file)
        var replacements: [Replacement] = []
        var secrets: [String] = []
        for key in ConfigurationFile.keys where key.isSecret {
            guard let node = value(of: key.name, in: root), let text = node.text, !text.isEmpty else { continue }
            let isDSN = key.name.hasSuffix("_dsn")
            let found = isDSN ? ConnectionSecrets(text) : ConnectionSecrets(whole: text)
            guard !found.secrets.isEmpty else { continue }
            secrets += found.secrets
            replacements.append(Replacement(path: key.name, node: node, text: found.cleaned))
        }
        replacements.sort { $0.node.position < $1.node.position }
        var output = splice(bytes, replacements)
        for secret in Set(secrets) where secret.utf8.count >= findableBytes && secret != mark {
            output = replacing(Array(secret.utf8), in: output)
        }
        return Redacted(bytes: output, paths: replacements.map(\.path), secrets: Set(secrets).sorted().map { Secret($0) })
    }

    /// Where a value says that a secret was taken out.
    static func marks(in node: YAMLNode) -> [TextPosition] {
        switch node.content {
        case .scalar(let text, _): text.contains(mark) ? [node.position] : []
        case .sequence(let elements): elements.flatMap(marks)
        case .mapping(let entries): entries.flatMap { marks(in: $0.value) }
        case .invalid: []
        }
    }

    private struct Replacement {
        var path: String
        var node: YAMLNode
        var text: String
    }

    private static func value(of path: String, in root: YAMLNode) -> YAMLNode? {
        path.split(separator: ".").reduce(Optional(root)) { node, key in node?[String(key)] }
    }

    /// Each value is written anew in double quotes, between its first and its last character.
    private static func splice(_ bytes: [UInt8], _ replacements: [Replacement]) -> [UInt8] {
        let places = LineStarts(bytes)
        var output: [UInt8] = []
        var position = 0
        for replacement in replacements {
            let start = places.offset(of: replacement.node.position)
            var end = max(start, places.offset(of: replacement.node.end))
            // The end of a block is the beginning of what follows: its line ends stay.
            while end > start, [0x0A, 0x0D, 0x20].contains(bytes[end - 1]) { end -= 1 }
            output += bytes[position..<start]
            output += quoted(replacement.text).utf8
            position = end
        }
        return output + bytes[position...]
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }

    private static func replacing(_ pattern: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == pattern[0], bytes[i...].starts(with: pattern) {
                output += mark.utf8
                i += pattern.count
            } else {
                output.append(bytes[i])
                i += 1
            }
        }
        return output
    }
}

/// From line and column, as the YAML reader counts them, to offsets in the bytes.
private struct LineStarts {
    private let bytes: [UInt8]
    private var starts = [0]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var i = 0
        while i < bytes.count {
            if bytes[i] == 0x0D, i + 1 < bytes.count, bytes[i + 1] == 0x0A { i += 1 }
            let isUnicodeBreak = bytes[i...].starts(with: [0xE2, 0x80, 0xA8]) || bytes[i...].starts(with: [0xE2, 0x80, 0xA9])
            let isNextLine = bytes[i...].starts(with: [0xC2, 0x85])
            if bytes[i] == 0x0A || bytes[i] == 0x0D { starts.append(i + 1) }
            if isNextLine { starts.append(i + 2) }
            if isUnicodeBreak { starts.append(i + 3) }
            i += 1
        }
    }

    /// Columns count characters; the bytes behind the first of each are passed over.
    func offset(of position: TextPosition) -> Int {
        guard position.line <= starts.count else { return bytes.count }
        var offset = starts[max(0, position.line - 1)]
        if position.line == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset += 3 }
        var column = 1
        while column < position.column, offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
            column += 1
        }
        return offset
    }
}

/// The passwords in a connection string, and the string without them.
struct ConnectionSecrets {
    private static let keys: Set<String> = ["password", "sslpassword", "oauth_client_secret"]
    private(set) var secrets: [String] = []
    private(set) var cleaned: String

    /// A value that is a secret as a whole.
    init(whole text: String) {
        secrets = [text]
        cleaned = ConfigurationRedaction.mark
    }

    /// A connection string; one that cannot be understood is a secret as a whole.
    init(_ text: String) {
        cleaned = text
        do throws(ConnectionSettings.Problem) {
            _ = try ConnectionSettings(parsing: text)
        } catch {
            self = ConnectionSecrets(whole: text)
            return
        }
        let isURI = text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
        let ranges = isURI ? Self.uriSecrets(text) : Self.keywordSecrets(text)
        secrets = ranges.map { String(text[$0]) }.filter { !$0.isEmpty }
        // Also without quotes and escapes, as the server is given it.
        secrets += secrets.map { $0.filter { $0 != "'" && $0 != "\\" } }.filter { !$0.isEmpty }
        for range in ranges.reversed() where !range.isEmpty { cleaned.replaceSubrange(range, with: ConfigurationRedaction.mark) }
    }

    private static func keywordSecrets(_ text: String) -> [Range<String.Index>] {
        var found: [Range<String.Index>] = []
        var rest = text[...]
        while true {
            rest = rest.drop(while: \.isWhitespace)
            let key = rest.prefix { $0 != "=" && !$0.isWhitespace }
            guard !key.isEmpty else { return found }
            rest = rest.dropFirst(key.count).drop(while: \.isWhitespace).dropFirst().drop(while: \.isWhitespace)
            let start = rest.startIndex
            let isQuoted = rest.first == "'"
            if isQuoted { rest = rest.dropFirst() }
            while let character = rest.first, isQuoted ? character != "'" : !character.isWhitespace {
                rest = rest.dropFirst(character == "\\" ? 2 : 1)
            }
            if isQuoted { rest = rest.dropFirst() }
            if keys.contains(String(key)) { found.append(start..<rest.startIndex) }
        }
    }

    private static func uriSecrets(_ text: String) -> [Range<String.Index>] {
        guard let scheme = text.firstRange(of: "//") else { return [] }
        var found: [Range<String.Index>] = []
        let mark = text.firstIndex(of: "?") ?? text.endIndex
        let authority = text[scheme.upperBound..<mark].prefix { $0 != "/" }
        if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") {
            found.append(text.index(after: colon)..<at)
        }
        for part in text[mark...].dropFirst().split(separator: "&") {
            guard let equals = part.firstIndex(of: "=") else { continue }
            // A key that hides behind escapes is taken for one that has something to hide.
            if keys.contains(String(part[..<equals])) || part[..<equals].contains("%") {
                found.append(part.index(after: equals)..<part.endIndex)
            }
        }
        return found
    }
}
