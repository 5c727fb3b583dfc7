import ClusterModel

/// A moment in whole seconds, written as RFC 3339 in UTC: `2026-02-17T02:00:00Z`.
package struct ArchiveTime: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// Seconds since 1970-01-01T00:00:00Z; years 0001 to 9999 can be written.
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    /// Nil for anything but the exact form that `description` writes.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
        else { return nil }
        let days = ArchiveTime.days(year: year, month: month, day: day)
        self.init(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second)
        // Whatever is out of range or of another form is written differently.
        guard description == text else { return nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = ArchiveTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time in whole seconds, UTC")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { String(WallTime.text(milliseconds: seconds * 1_000).dropLast(5)) + "Z" }

    /// `20260217T020000Z`, as in an archive id.
    package var compact: String { String(description.filter { $0 != "-" && $0 != ":" }) }

    package static func < (a: ArchiveTime, b: ArchiveTime) -> Bool { a.seconds < b.seconds }

    /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
