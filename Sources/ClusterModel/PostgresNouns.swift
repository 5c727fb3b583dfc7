/// A position in the write-ahead log, in bytes; printed as PostgreSQL does: `16/B374D848`.
package struct LSN: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ value: UInt64) { rawValue = value }
    package static let zero = LSN(0)

    /// nil when `text` is not two hexadecimal numbers of at most eight digits with a slash between them.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16) else {
            return nil
        }
        rawValue = UInt64(high) << 32 | UInt64(low)
    }

    package var description: String {
        "\(String(rawValue >> 32, radix: 16, uppercase: true))/\(String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true))"
    }
    package static func < (a: LSN, b: LSN) -> Bool { a.rawValue < b.rawValue }
    /// Bytes from `b` up to `a`; 0 when `a` is not ahead.
    package static func - (a: LSN, b: LSN) -> UInt64 { a.rawValue > b.rawValue ? a.rawValue - b.rawValue : 0 }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = LSN(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not an LSN"))
        }
        self = value
    }
    package func encode(to encoder: any Encoder) throws {
        var c = encoder.singleValueContainer()
        try c.encode(description)
    }
}

/// A branch of PostgreSQL's history; unique in a cluster (D59). 0 is never a timeline.
package struct TimelineID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(_ value: UInt32) { rawValue = value }
    package var next: TimelineID { TimelineID(rawValue + 1) }
    package var description: String { "\(rawValue)" }
    package static func < (a: TimelineID, b: TimelineID) -> Bool { a.rawValue < b.rawValue }
}

/// A place in the history of the data: compared by timeline first, then LSN (SE4).
package struct WALPosition: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var timeline: TimelineID
    package var lsn: LSN
    package init(timeline: TimelineID, lsn: LSN) {
        self.timeline = timeline
        self.lsn = lsn
    }
    package var description: String { "\(timeline):\(lsn)" }
    package static func < (a: WALPosition, b: WALPosition) -> Bool { (a.timeline, a.lsn) < (b.timeline, b.lsn) }
}

/// One line of a PostgreSQL timeline history file: `timeline` ended at `switchPoint`.
package struct TimelineSwitch: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    package var switchPoint: LSN
    package init(timeline: TimelineID, switchPoint: LSN) {
        self.timeline = timeline
        self.switchPoint = switchPoint
    }
}

/// The number of one appointment of a primary; it only grows. 0 means "never".
package struct FencingToken: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ value: UInt64) { rawValue = value }
    package static let never = FencingToken(0)
    package var next: FencingToken { FencingToken(rawValue + 1) }
    package var description: String { "\(rawValue)" }
    package static func < (a: FencingToken, b: FencingToken) -> Bool { a.rawValue < b.rawValue }
}

/// PostgreSQL's role of a node, as people and programs see it.
package enum NodeRole: String, Sendable, Codable, Hashable, CaseIterable { case primary, replica, witness, unknown }

/// Whether a node has data at all.
package enum NodeKind: String, Sendable, Codable, Hashable, CaseIterable { case data, witness }
