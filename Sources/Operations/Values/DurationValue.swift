import ClusterModel

/// A duration as an operator gives it: `500ms`, `30s`, `5m`, `2h`, `7d`, `1h30m`.
package struct DurationValue: Sendable, Hashable, Codable, CustomStringConvertible {
    package let duration: Duration
    package init(_ duration: Duration) { self.duration = duration }
    package var seconds: Double { duration.inSeconds }

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    /// Limit: a longer wait or pause is a slip.
    private static let longest: Int64 = 3650 * 86_400_000

    /// nil when `text` is not a chain of whole numbers with units; a bare `0` needs none.
    package init?(_ text: some StringProtocol) {
        if text == "0" {
            self.init(.zero)
            return
        }
        var rest = Substring(text)
        var total: Int64 = 0
        guard !rest.isEmpty, rest.utf8.count <= 40 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let count = Int64(digits), let unit = DurationValue.units.first(where: { name == $0.name }) else {
                return nil
            }
            let (part, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
            guard !overflow, part <= DurationValue.longest else { return nil }
            total += part
            guard total <= DurationValue.longest else { return nil }
        }
        self.init(.milliseconds(total))
    }

    /// The shortest exact spelling in one unit: `90s`, `2h`.
    package var description: String {
        let milliseconds = duration.inMilliseconds
        guard milliseconds != 0 else { return "0s" }
        guard let unit = DurationValue.units.first(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "\(milliseconds)ms"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = DurationValue(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not a duration; write 500ms, 30s, 5m, 2h or 7d")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
