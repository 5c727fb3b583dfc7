/// An amount of data in bytes; written `16MiB`, `10MB` or as a bare number of bytes.
package struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let bytes: UInt64
    package init(bytes: UInt64) { self.bytes = bytes }
    package static func mebibytes(_ count: UInt64) -> ByteSize { ByteSize(bytes: count << 20) }
    package static let zero = ByteSize(bytes: 0)

    private static let units: [(name: String, factor: UInt64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]

    /// nil when `text` is not a whole number with one of the units above, or too large.
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        var unit = text.dropFirst(digits.count)
        if unit.first == " " { unit = unit.dropFirst() }
        guard let count = UInt64(digits) else { return nil }
        guard let factor = unit.isEmpty ? 1 : ByteSize.units.first(where: { $0.name == unit })?.factor else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.init(bytes: bytes)
    }

    /// The largest binary unit that loses nothing.
    package var description: String {
        let binary = ByteSize.units.prefix(5).reversed()
        guard bytes > 0, let unit = binary.first(where: { bytes % $0.factor == 0 }) else { return "0" }
        return unit.factor == 1 ? "\(bytes)" : "\(bytes / unit.factor)\(unit.name)"
    }
    package static func < (a: ByteSize, b: ByteSize) -> Bool { a.bytes < b.bytes }
}
