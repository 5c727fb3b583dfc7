import ClusterModel

/// An amount of data as an operator gives it: `512KiB`, `10MiB` or plain bytes, as text or as a number.
package struct SizeValue: Sendable, Hashable, Codable, CustomStringConvertible {
    package let bytes: UInt64
    package init(bytes: UInt64) { self.bytes = bytes }

    private static let units: [(name: String, factor: UInt64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("KB", 1_000),
    ]

    /// nil when `text` is not a whole number with a unit, or too large.
    package init?(_ text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let count = UInt64(digits) else { return nil }
        guard let factor = unit.isEmpty ? 1 : SizeValue.units.first(where: { unit == $0.name })?.factor else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    /// For people: `0 B`, `512 B`, `1.2 MiB`, `50.0 MiB`.
    package var description: String {
        guard bytes >= 1024, let unit = SizeValue.units.prefix(4).first(where: { bytes >= $0.factor }) else {
            return "\(bytes) B"
        }
        let tenths = (Double(bytes) / Double(unit.factor) * 10).rounded()
        return "\(DecimalText.oneDigit(tenths / 10)) \(unit.name)"
    }

    /// As it is typed: the largest unit that loses nothing, `10MiB`.
    package var exactText: String {
        guard bytes > 0, let unit = SizeValue.units.prefix(5).first(where: { bytes % $0.factor == 0 }) else {
            return "0"
        }
        return unit.factor == 1 ? "\(bytes)" : "\(bytes / unit.factor)\(unit.name)"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            bytes = try container.decode(UInt64.self)
        } catch {
            let text = try container.decode(String.self)
            guard let value = SizeValue(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "\"\(text)\" is not a size; write 10MiB or a number of bytes")
            }
            bytes = value.bytes
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}
