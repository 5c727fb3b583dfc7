/// The name of a node: safe as a DNS label, as a replication slot (with `_` for `-`) and as a host name (K02).
package struct NodeName: Hashable, Comparable, Sendable, Codable, CustomStringConvertible, CodingKeyRepresentable {
    package let rawValue: String

    /// nil when `text` is not `[a-z0-9]([a-z0-9-]*[a-z0-9])?` of at most 63 characters.
    package init?(_ text: String) {
        guard NodeName.isValid(text) else { return nil }
        rawValue = text
    }

    package static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        let hyphen = UInt8(ascii: "-")
        guard first != hyphen, last != hyphen else { return false }
        return bytes.allSatisfy { b in
            (b >= UInt8(ascii: "a") && b <= UInt8(ascii: "z")) || (b >= UInt8(ascii: "0") && b <= UInt8(ascii: "9"))
                || b == hyphen
        }
    }

    /// The name of this node's physical replication slot.
    package var slotName: String { String(rawValue.map { $0 == "-" ? "_" : $0 }) }
    package var description: String { rawValue }
    package static func < (a: NodeName, b: NodeName) -> Bool { a.rawValue < b.rawValue }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard NodeName.isValid(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a node name"))
        }
        rawValue = text
    }
    package func encode(to encoder: any Encoder) throws {
        var c = encoder.singleValueContainer()
        try c.encode(rawValue)
    }
    package var codingKey: any CodingKey { TextKey(rawValue) }
    package init?<T: CodingKey>(codingKey: T) { self.init(codingKey.stringValue) }
}

/// A coding key made from any text; lets identifiers be keys of JSON objects.
package struct TextKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }
    package init(_ text: String) { stringValue = text }
    package init?(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { return nil }
}

/// A random 128-bit number, printed as 32 hexadecimal digits.
package protocol RandomIdentifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    var rawValue: UInt128 { get }
    init(rawValue: UInt128)
}

extension RandomIdentifier {
    /// nil when `text` is not 1 to 32 hexadecimal digits.
    package init?(_ text: String) {
        guard text.utf8.count <= 32, let value = UInt128(text, radix: 16) else { return nil }
        self.init(rawValue: value)
    }
    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
    /// The first eight digits: enough for a person to tell two apart.
    package var short: String { String(description.prefix(8)) }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not an identifier"))
        }
        self = value
    }
    package func encode(to encoder: any Encoder) throws {
        var c = encoder.singleValueContainer()
        try c.encode(description)
    }
}

/// The identity of a cluster; a restored cluster gets a new one.
package struct ClusterID: RandomIdentifier {
    package let rawValue: UInt128
    package init(rawValue: UInt128) { self.rawValue = rawValue }
}

/// The identity of one Raft directory; a node whose directory was wiped gets a new one.
package struct MemberID: RandomIdentifier {
    package let rawValue: UInt128
    package init(rawValue: UInt128) { self.rawValue = rawValue }
}

/// Drawn anew whenever a clone, rewind or restore of a data directory begins (SE1): a node that lost data cannot
/// answer for what it had.
package struct DataID: RandomIdentifier {
    package let rawValue: UInt128
    package init(rawValue: UInt128) { self.rawValue = rawValue }
}

/// One life of one guard process (LE5).
package struct GuardIncarnation: RandomIdentifier {
    package let rawValue: UInt128
    package init(rawValue: UInt128) { self.rawValue = rawValue }
}

/// One life of one daemon process.
package struct DaemonIncarnation: RandomIdentifier {
    package let rawValue: UInt128
    package init(rawValue: UInt128) { self.rawValue = rawValue }
}

/// Identifies one request from its receipt to its last log line; `[A-Za-z0-9._-]{1,128}`.
package struct RequestID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String
    package init?(_ text: String) {
        let ok =
            !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy { b in
                (b >= 48 && b <= 57) || (b >= 65 && b <= 90) || (b >= 97 && b <= 122)
                    || b == UInt8(ascii: ".") || b == UInt8(ascii: "_") || b == UInt8(ascii: "-")
            }
        guard ok else { return nil }
        rawValue = text
    }
    package var description: String { rawValue }
    package static func < (a: RequestID, b: RequestID) -> Bool { a.rawValue < b.rawValue }
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = RequestID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a request id"))
        }
        self = value
    }
    package func encode(to encoder: any Encoder) throws {
        var c = encoder.singleValueContainer()
        try c.encode(rawValue)
    }
}
