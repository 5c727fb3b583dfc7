/// The kinds of values a configuration has, each with its own sentence for what is wrong.
extension SectionReader {
    func text(_ key: String) -> String? {
        value(key, "a text") { text, _ in text.isEmpty ? nil : text }
    }

    /// The text, or nil when it is absent or empty.
    func optionalText(_ key: String) -> String? {
        value(key, "a text") { text, _ in text }.flatMap { $0.isEmpty ? nil : $0 }
    }

    func secret(_ key: String) -> Secret? {
        defer { collector.describe(name(key)) { $0.isSecret = true } }
        return value(key, "a text") { text, _ in Secret(text) }
    }

    func flag(_ key: String, form: ValueForm = .flag) -> Bool? {
        value(key, "true or false", form: form) { text, isPlain in
            guard isPlain else { return nil }
            return text == "true" ? true : text == "false" ? false : nil
        }
    }

    func integer(_ key: String, in range: ClosedRange<Int>, form: ValueForm? = nil) -> Int? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return value(key, expected, form: form ?? .integer(range)) { text, isPlain in
            guard isPlain, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    func port(_ key: String) -> TCPPort? {
        value(key, "a port from 1 to 65535", form: .port) { text, isPlain in isPlain ? TCPPort(text) : nil }
    }

    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        let limits = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        return value(key, "a duration \(limits), such as 30s or 500ms", form: .duration) { text, _ in
            DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func size(_ key: String) -> ByteSize? {
        value(key, "a size, such as 16MiB or a number of bytes", form: .size) { text, _ in ByteSize(text) }
    }

    func path(_ key: String) -> String? {
        value(key, "an absolute path", form: .path) { text, _ in SectionReader.normalizedPath(text) }
    }

    func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type) -> T? where T.RawValue == String {
        let names = T.allCases.map(\.rawValue)
        return value(key, "one of \(names.joined(separator: ", "))", form: .choice(names)) { text, _ in T(rawValue: text) }
    }

    func logLevel(_ key: String) -> NodeConfiguration.LogLevel? {
        value(key, "one of debug, info, warn, error", form: .pattern(logLevelPattern)) { text, _ in .init(rawValue: text.lowercased()) }
    }

    /// In capitals or not.
    private var logLevelPattern: String {
        let words = NodeConfiguration.LogLevel.allCases.map { level in
            level.rawValue.map { "[\($0)\($0.uppercased())]" }.joined()
        }
        return "^(" + words.joined(separator: "|") + ")$"
    }

    func addresses(_ key: String) -> [IPAddress]? {
        guard let list = list(key, "an IP address", form: .ipAddress, { text, _ in IPAddress(text) }) else { return nil }
        guard list.isEmpty else { return list }
        collector.error(
            about: name(key), "\"\(name(key))\" is an empty list", hint: "remove the key to get its default")
        return nil
    }

    /// `text` without a slash at the end; nil when it is not absolute.
    private static func normalizedPath(_ text: String) -> String? {
        guard text.hasPrefix("/"), text.utf8.count < 4096 else { return nil }
        var path = text[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }
}
