import ClusterModel

/// A time as people give it: RFC 3339, seconds and zone optional (UTC then), or an age such as `2h`.
package enum TimeArgument {
    /// Milliseconds since 1970.
    ///
    /// - Parameter now: RFC 3339; what an age is counted from.
    package static func milliseconds(_ text: String, now: String, field: String) throws(BastionError) -> Int64 {
        if let age = DurationValue(text), let present = Timestamp.seconds(now) {
            return Int64((present - age.seconds) * 1000)
        }
        for form in [text, text + "Z", text + ":00Z", text.replacingZulu, text + "T00:00:00Z"] {
            if let seconds = Timestamp.seconds(form) { return Int64(seconds * 1000) }
        }
        throw BastionError(
            .invalidRequest, "field \"\(field)\": \"\(text.prefix(64))\" is not a time",
            hint: "write 2026-02-17T02:00Z, or an age such as 2h")
    }
}

extension String {
    /// `02:00Z` without seconds.
    fileprivate var replacingZulu: String { hasSuffix("Z") ? dropLast() + ":00Z" : self }
}
