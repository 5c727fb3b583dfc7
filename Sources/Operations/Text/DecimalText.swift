/// Numbers and ages for people.
package enum DecimalText {
    /// `1.2`; half away from zero.
    package static func oneDigit(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        let tenths = Int64((abs(value) * 10).rounded())
        return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
    }

    /// A short age in one unit: `0s`, `0.4s`, `3s`, `5m`, `2h`, `4d`.
    package static func age(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "-" }
        let value = max(0, seconds)
        if value < 0.05 { return "0s" }
        if value < 1 { return "\(oneDigit(value))s" }
        let whole = Int64(value)
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m"
        case ..<86_400: return "\(whole / 3600)h"
        default: return "\(whole / 86_400)d"
        }
    }
}
