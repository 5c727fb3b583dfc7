import Operations

/// JSON values as YAML in block style. What could be read as anything but a text is quoted.
enum YAMLText {
    /// Without a trailing newline.
    static func text(_ value: JSONValue) -> String { lines(value).joined(separator: "\n") }

    private static func lines(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let members) where !members.isEmpty:
            members.flatMap { lines(labelled: scalar(.string($0.name)) + ":", $0.value) }
        case .array(let elements) where !elements.isEmpty:
            elements.flatMap { element -> [String] in
                let inner = lines(element)
                return ["- " + (inner.first ?? "")] + inner.dropFirst().map { "  " + $0 }
            }
        default: [scalar(value)]
        }
    }

    private static func lines(labelled label: String, _ value: JSONValue) -> [String] {
        switch value {
        case .object(let members) where !members.isEmpty: [label] + lines(value).map { "  " + $0 }
        case .array(let elements) where !elements.isEmpty: [label] + lines(value).map { "  " + $0 }
        default: ["\(label) \(scalar(value))"]
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        guard case .string(let text) = value, isPlain(text) else { return String(decoding: value.bytes, as: UTF8.self) }
        return text
    }

    private static let reserved: Set<String> = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ]

    /// A plain scalar of every YAML version: letters, digits and a few signs, beginning with a letter.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first), !reserved.contains(text.lowercased()) else { return false }
        let hasOnlySafe = text.utf8.allSatisfy {
            isLetter($0) || ($0 >= 0x30 && $0 <= 0x39) || "_-./ ".utf8.contains($0)
        }
        return hasOnlySafe && text.utf8.last != UInt8(ascii: " ")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
}
