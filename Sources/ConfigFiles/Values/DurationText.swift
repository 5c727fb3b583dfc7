import ClusterModel

/// Durations as people write them: `600ms`, `3s`, `1m30s`, `26h`, `7d`.
package enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    /// nil when `text` is not a chain of numbers with units; a bare `0` needs none. Up to 9 digits after a point.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let unit = units.first(where: { $0.name == name }), let part = scaled(number, by: unit.nanoseconds)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return .nanoseconds(total)
    }

    /// The shortest exact spelling in one unit, or in the two needed: `90s`, `1500ms`, `7d`.
    package static func format(_ duration: Duration) -> String {
        let nanoseconds = duration.inNanoseconds
        guard nanoseconds != 0 else { return "0" }
        guard let unit = units.first(where: { nanoseconds % $0.nanoseconds == 0 }) else { return "\(nanoseconds)ns" }
        return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
    }

    private static func scaled(_ number: Substring, by factor: Int64) -> Int64? {
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(parts[0]) else { return nil }
        let (scaledWhole, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return scaledWhole }
        guard (1...9).contains(parts[1].count), let fraction = Int64(parts[1]) else { return nil }
        var power: Int64 = 1
        for _ in 0..<parts[1].count { power *= 10 }
        let (scaledFraction, tooLarge) = factor.multipliedReportingOverflow(by: fraction)
        // Limit: a day times nine digits does not fit; such a spelling is refused rather than rounded.
        guard !tooLarge, scaledFraction % power == 0 else { return nil }
        let (sum, sumOverflow) = scaledWhole.addingReportingOverflow(scaledFraction / power)
        return sumOverflow ? nil : sum
    }
}
