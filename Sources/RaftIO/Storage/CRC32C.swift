/// CRC-32C (Castagnoli) over bytes handed in piece by piece; finds every single flipped bit and every burst of up to
/// 32 bits (ST3).
///
/// - Source: RFC 3720, appendix B.4; slicing-by-8 after Kounavis and Berry, 2005.
package struct CRC32C: Sendable {
    private var state: UInt32 = 0xFFFF_FFFF

    package init() {}

    package var value: UInt32 { ~state }

    package static func of(_ bytes: some Collection<UInt8>) -> UInt32 {
        var crc = CRC32C()
        crc.add(bytes)
        return crc.value
    }

    package mutating func add(_ bytes: some Collection<UInt8>) {
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable { add(UnsafeRawBufferPointer($0)) }
        if contiguous == nil { Array(bytes).withUnsafeBytes { add($0) } }
    }

    /// The eight bytes of `number`, lowest first.
    package mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }

    package mutating func add(_ number: UInt128) {
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        CRC32C.table.withUnsafeBufferPointer { table in
            var at = 0
            while at + 8 <= bytes.count {
                let low = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian ^ crc
                let high = bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self).littleEndian
                crc =
                    table[1792 + Int(low & 0xFF)] ^ table[1536 + Int(low >> 8 & 0xFF)]
                    ^ table[1280 + Int(low >> 16 & 0xFF)] ^ table[1024 + Int(low >> 24)]
                crc ^=
                    table[768 + Int(high & 0xFF)] ^ table[512 + Int(high >> 8 & 0xFF)]
                    ^ table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                at += 8
            }
            while at < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[at])) & 0xFF)] ^ crc >> 8
                at += 1
            }
        }
        state = crc
    }

    /// Eight tables of 256: the effect of a byte that is 0 to 7 bytes away from the end.
    private static let table: [UInt32] = {
        var table = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0x82F6_3B78 ^ crc >> 1 : crc >> 1 }
            table[byte] = crc
        }
        for slice in 1..<8 {
            for byte in 0..<256 {
                let before = table[(slice - 1) * 256 + byte]
                table[slice * 256 + byte] = table[Int(before & 0xFF)] ^ before >> 8
            }
        }
        return table
    }()
}
