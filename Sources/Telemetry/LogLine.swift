import ClusterModel

/// One log line before it is written: a sentence, its level and its key-value pairs.
package struct LogLine: Sendable, Hashable {
    package var time: WallTime
    package var level: Level
    package var message: String
    /// In the order they are printed.
    package var fields: [Field]

    package struct Field: Sendable, Hashable {
        package var key: String
        package var value: String
        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    package enum Level: String, Sendable, Hashable, CaseIterable { case debug, info, warn, error }
    package enum Format: String, Sendable, Hashable, CaseIterable { case text, json }

    /// Keys that come first, in this order; the others follow in the order of the alphabet.
    static let leadingKeys = ["event", "node", "request_id", "op_id", "term"]

    package init(time: WallTime, level: Level, message: String, fields: [String: String]) {
        self.time = time
        self.level = level
        self.message = message
        let leading = LogLine.leadingKeys.filter { fields[$0] != nil }
        let others = fields.keys.filter { !LogLine.leadingKeys.contains($0) }.sorted()
        self.fields = (leading + others).map { Field($0, fields[$0] ?? "") }
    }

    package func rendered(_ format: Format) -> String {
        switch format {
        case .text: "\(time) \(level.rawValue.uppercased()) \(sentence)"
        case .json: json
        }
    }

    /// The line without time and level, which the journal keeps itself.
    ///
    /// The pairs are part of it, so that `journalctl | grep request_id=...` finds it (L05).
    package var sentence: String {
        var text = LogLine.onOneLine(message)
        for field in fields { text += " \(field.key)=\(LogLine.quoted(field.value))" }
        return text
    }

    private var json: String {
        let head = [Field("time", time.description), Field("level", level.rawValue), Field("message", message)]
        let members = (head + fields).map { "\(LogLine.jsonString($0.key)):\(LogLine.jsonString($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    // MARK: escapes

    /// logfmt: quoted when a reader could not see where the value ends.
    static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy { byte in
                byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
                    && byte != UInt8(ascii: "\\")
            }
        return isPlain ? value : jsonString(value)
    }

    /// A log line is one line: nobody can forge a second one.
    static func onOneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? escape($0) : String($0) }.joined()
    }

    static func jsonString(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: out += escape(scalar)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}
