/// The kinds of values a configuration has, each with its own sentence for what is wrong.
extension SectionReader {
    func text(_ key: String) -> String? {
        value(key, "a text") { text, _ in text.isEmpty ? nil : text }
    }

    /// The text, or nil when it is absent or empty.
    func optionalText(_ key: String) -> String? {
        value(key, "a text") { text, _ in text }.flatMap { $0.isEmpty ? nil : $0 }
    }

    func secret(_ key: String) -> Secret? { value(key, "a text") { text, _ in Secret(text) } }

    func flag(_ key: String) -> Bool? {
        value(key, "true or false") { text, isPlain in
            guard isPlain else { return nil }
            return text == "true" ? true : text == "false" ? false : nil
        }
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        value(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text, isPlain in
            guard isPlain, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    func port(_ key: String) -> TCPPort? {
        value(key, "a port from 1 to 65535") { text, isPlain in isPlain ? TCPPort(text) : nil }
    }

    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        let limits = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        return value(key, "a duration \(limits), such as 30s or 500ms") { text, _ in
            DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func size(_ key: String) -> ByteSize? {
        value(key, "a size, such as 16MiB or a number of bytes") { text, _ in ByteSize(text) }
    }

    func path(_ key: String) -> String? {
        value(key, "an absolute path") { text, _ in SectionReader.normalizedPath(text) }
    }

    func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type) -> T? where T.RawValue == String {
        let names = T.allCases.map(\.rawValue).joined(separator: ", ")
        return value(key, "one of \(names)") { text, _ in T(rawValue: text) }
    }

    func logLevel(_ key: String) -> NodeConfiguration.LogLevel? {
        value(key, "one of debug, info, warn, error") { text, _ in .init(rawValue: text.lowercased()) }
    }

    func addresses(_ key: String) -> [IPAddress]? {
        guard let list = list(key, "an IP address", { text, _ in IPAddress(text) }) else { return nil }
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
