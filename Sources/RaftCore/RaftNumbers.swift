/// A Raft term: the number of one election; it never decreases on a server.
///
/// - Source: Raft thesis, section 3.3.
package struct Term: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ value: UInt64) { rawValue = value }
    package static let zero = Term(0)
    package var next: Term { Term(rawValue + 1) }
    package var description: String { "\(rawValue)" }
    package static func < (a: Term, b: Term) -> Bool { a.rawValue < b.rawValue }
}

/// The position of an entry in the Raft log; the first entry has index 1, `.zero` means "before the log".
package struct LogIndex: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ value: UInt64) { rawValue = value }
    package static let zero = LogIndex(0)
    package var next: LogIndex { LogIndex(rawValue + 1) }
    package var previous: LogIndex { LogIndex(rawValue == 0 ? 0 : rawValue - 1) }
    package var description: String { "\(rawValue)" }
    package static func < (a: LogIndex, b: LogIndex) -> Bool { a.rawValue < b.rawValue }
    package static func + (a: LogIndex, n: Int) -> LogIndex { LogIndex(UInt64(Int64(a.rawValue) + Int64(n))) }
    package static func - (a: LogIndex, b: LogIndex) -> Int { Int(Int64(a.rawValue) - Int64(b.rawValue)) }
}

/// The identity of one Raft member: random, made with its Raft directory, never used again after a wipe.
package struct ServerID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package var rawValue: UInt128
    package init(rawValue: UInt128) { self.rawValue = rawValue }
    package init(_ value: UInt128) { rawValue = value }
    package var description: String { String(rawValue, radix: 16) }
    package static func < (a: ServerID, b: ServerID) -> Bool { a.rawValue < b.rawValue }
}
