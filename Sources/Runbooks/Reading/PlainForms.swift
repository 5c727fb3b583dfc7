import ClusterModel
import Operations

/// Spellings of plain scalars that YAML readers understand differently (RB006).
enum Ambiguous {
    static func boolean(_ text: String) -> Bool {
        ["yes", "no", "on", "off", "y", "n", "true", "false"].contains(text.lowercased()) && text != "true" && text != "false"
    }

    /// `0o17`, `017`, `0x1F`, `1_000`.
    static func number(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard let first = digits.first, first.isASCII, first.isNumber else { return false }
        if digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: "_") }) {
            return digits.contains("_") || (digits.first == "0" && digits.utf8.count > 1) || text.hasPrefix("+")
        }
        return digits.hasPrefix("0o") || digits.hasPrefix("0x") || digits.hasPrefix("0b")
    }

    /// A decimal number as JSON spells it.
    static func isNumber(_ text: String) -> Bool {
        var rest = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        guard !whole.isEmpty, whole == "0" || whole.first != "0", text.utf8.count <= 40 else { return false }
        rest = rest.dropFirst(whole.count)
        guard rest.first == "." else { return rest.isEmpty }
        rest = rest.dropFirst()
        return !rest.isEmpty && rest.allSatisfy { $0.isASCII && $0.isNumber }
    }
}

/// Ids and names (runbooks.md, section 1).
package enum NameForm {
    package static func isName(_ text: String, separator: Character) -> Bool {
        guard let first = text.utf8.first, (97...122).contains(first), text.utf8.count <= 63 else { return false }
        return text.allSatisfy { character in
            guard let byte = character.asciiValue else { return false }
            return (97...122).contains(byte) || (48...57).contains(byte) || character == separator
        }
    }
}

/// Durations and sizes of runbooks: one whole number, one unit; stricter than on the command line.
package enum Quantity {
    package static func duration(_ text: String) -> DurationValue? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, ["ms", "s", "m", "h", "d"].contains(text.dropFirst(digits.count)) else { return nil }
        return DurationValue(text)
    }

    package static func bytes(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, ["", "B", "KiB", "MiB", "GiB", "TiB"].contains(text.dropFirst(digits.count)) else { return nil }
        return SizeValue(text)?.bytes
    }

    static func durationHelp(_ text: String) -> String {
        if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) { return "did you mean '\(text)s'?" }
        return "write a whole number and ms, s, m, h or d"
    }

    static func bytesHelp(_ text: String) -> String {
        let digits = String(text.prefix { $0.isASCII && $0.isNumber })
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let known = [
            "k": "KiB", "kb": "KiB", "kib": "KiB", "m": "MiB", "mb": "MiB", "mib": "MiB", "g": "GiB", "gb": "GiB", "gib": "GiB", "t": "TiB",
            "tb": "TiB",
        ]
        if !digits.isEmpty, let right = known[unit] { return "did you mean '\(digits)\(right)'?" }
        return "write a whole number and B, KiB, MiB, GiB or TiB"
    }

    /// `50 MiB`, `1.2 MiB`, `512 B`: for people.
    package static func text(bytes: UInt64) -> String {
        let exact = SizeValue(bytes: bytes).exactText
        let unit = exact.drop { $0.isNumber }
        guard bytes >= 1024, !unit.isEmpty else { return SizeValue(bytes: bytes).description }
        return "\(exact.dropLast(unit.count)) \(unit)"
    }
}
