/// Why bytes are not a Raft message or membership.
package enum RaftCodecError: Error, Sendable, Hashable {
    case truncated
    case unknownVersion(UInt8)
    case unknownKind(UInt8)
    /// A number, flag or count outside its range.
    case invalidNumber
    case trailingBytes(Int)
}

/// Appends numbers and bytes in the compact form of the Raft frames: LEB128 numbers, ids of 16 bytes.
struct ByteWriter {
    private(set) var bytes: [UInt8]

    init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func count(_ value: Int) { number(UInt64(max(0, value))) }

    mutating func id(_ value: ServerID) {
        for shift in stride(from: 120, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value.rawValue >> UInt128(shift)))
        }
    }

    mutating func ids(_ values: [ServerID]) {
        count(values.count)
        for value in values { id(value) }
    }

    mutating func block(_ value: [UInt8]) {
        count(value.count)
        bytes.append(contentsOf: value)
    }
}

/// Reads what `ByteWriter` wrote; every step checks its bounds, so hostile bytes end in an error, never in a trap.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var remaining: Int { bytes.count - position }

    mutating func byte() throws(RaftCodecError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        position += 1
        return bytes[position - 1]
    }

    mutating func flag() throws(RaftCodecError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw .invalidNumber
        }
    }

    mutating func number() throws(RaftCodecError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            let part = UInt64(next & 0x7F)
            guard shift < 63 || (shift == 63 && part <= 1) else { throw .invalidNumber }
            value |= part << shift
            if next & 0x80 == 0 { return value }
            shift += 7
        }
    }

    /// A number of elements of at least `elementBytes` each; more than the rest of the bytes can hold is refused.
    mutating func count(elementBytes: Int) throws(RaftCodecError) -> Int {
        let value = try number()
        guard value <= UInt64(remaining / max(1, elementBytes)) else { throw .truncated }
        return Int(value)
    }

    /// A size that refers to something outside these bytes.
    mutating func size() throws(RaftCodecError) -> Int {
        guard let value = Int(exactly: try number()) else { throw .invalidNumber }
        return value
    }

    mutating func id() throws(RaftCodecError) -> ServerID {
        guard remaining >= 16 else { throw .truncated }
        var value: UInt128 = 0
        for offset in 0..<16 { value = value << 8 | UInt128(bytes[position + offset]) }
        position += 16
        return ServerID(value)
    }

    mutating func ids() throws(RaftCodecError) -> [ServerID] {
        let count = try count(elementBytes: 16)
        var values: [ServerID] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try id()) }
        return values
    }

    mutating func block() throws(RaftCodecError) -> [UInt8] {
        let count = try count(elementBytes: 1)
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }

    func finish() throws(RaftCodecError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }
}
