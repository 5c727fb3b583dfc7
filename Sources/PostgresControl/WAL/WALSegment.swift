import ClusterModel

/// A file of `pg_wal`: 8 digits of timeline, 16 of segment number.
struct WALSegment: Sendable, Hashable, Comparable {
    var timeline: TimelineID
    var number: UInt64

    /// nil when `name` is not that of a segment.
    init?(name: String, segmentBytes: UInt64) {
        guard name.utf8.count == 24, let timeline = UInt32(name.prefix(8), radix: 16),
            let high = UInt64(name.dropFirst(8).prefix(8), radix: 16), let low = UInt64(name.suffix(8), radix: 16)
        else { return nil }
        self.timeline = TimelineID(timeline)
        number = high * (0x1_0000_0000 / segmentBytes) + low
    }

    static func < (a: WALSegment, b: WALSegment) -> Bool { (a.timeline, a.number) < (b.timeline, b.number) }

    static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// Arithmetic of WAL positions.
///
/// - Source: PostgreSQL's `xlog_internal.h`: pages of 8 KiB begin with a header, the first of a segment with a longer one.
enum WALAddress {
    static let page: UInt64 = 8192
    static let shortHeader: UInt64 = 24
    static let longHeader: UInt64 = 40

    /// Where a record of `length` bytes that begins at `start` ends, as PostgreSQL counts it.
    static func end(ofRecordAt start: LSN, length: UInt64, segmentBytes: UInt64) -> LSN {
        var position = start.rawValue
        var left = length
        while true {
            let part = min(left, page - position % page)
            position += part
            left -= part
            if left == 0 { break }
            position += position % segmentBytes == 0 ? longHeader : shortHeader
        }
        return LSN((position + 7) & ~7)
    }
}
