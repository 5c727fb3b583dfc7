/// RFC 3339 times in UTC as the cluster view carries them.
package enum Timestamp {
    /// Seconds since 1970; nil when `text` is not `YYYY-MM-DDTHH:MM:SS[.fraction]Z`.
    package static func seconds(_ text: String) -> Double? {
        guard text.hasSuffix("Z"), text.utf8.count >= 20 else { return nil }
        let parts = text.dropLast().split(whereSeparator: { "-T:".contains($0) })
        guard parts.count == 6, let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            let hour = Int(parts[3]), let minute = Int(parts[4]), let second = Double(parts[5]),
            (1...12).contains(month), (1...31).contains(day), (0...9999).contains(year)
        else { return nil }
        return Double(days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60) + second
    }

    /// Seconds from `earlier` to `later`; nil when one of them is not a time.
    package static func seconds(from earlier: String, to later: String) -> Double? {
        guard let a = seconds(earlier), let b = seconds(later) else { return nil }
        return b - a
    }

    /// `text` moved by whole seconds; nil when it is not a time.
    package static func adding(_ delta: Double, to text: String) -> String? {
        guard let start = seconds(text), delta.isFinite, abs(delta) < 1e11 else { return nil }
        let total = Int64((start + delta).rounded(.down))
        let day = total >= 0 ? total / 86_400 : (total - 86_399) / 86_400
        let rest = Int(total - day * 86_400)
        let date = civil(days: Int(day))
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))"
            + "T\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))Z"
    }

    /// `14:00Z` of a time; the text itself when it is not one.
    static func clock(_ text: String) -> String {
        guard let time = text.split(separator: "T").last, time.utf8.count >= 5 else { return text }
        return time.prefix(5) + "Z"
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = "\(value)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// - Source: as above, civil_from_days.
    private static func civil(days: Int) -> (year: Int, month: Int, day: Int) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
