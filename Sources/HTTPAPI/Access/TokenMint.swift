import ClusterModel
import Crypto

/// Values of named tokens, and their digests.
package enum TokenMint {
    /// Draws a value of 256 random bits; `pgb_` makes one that leaked recognisable.
    package static func mint() -> MintedToken {
        var generator = SystemRandomNumberGenerator()
        let value = "pgb_" + (0..<4).map { _ in hexadecimal(UInt64.random(in: .min ... .max, using: &generator)) }.joined()
        return MintedToken(value: value, digest: digest(Array(value.utf8)))
    }

    /// SHA-256 in hexadecimal. A value drawn here has too many bits to be guessed, so no slow hash is needed.
    package static func digest(_ value: [UInt8]) -> String { String(decoding: digestBytes(value), as: UTF8.self) }

    /// The digits of `digest`.
    static func digestBytes(_ value: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return SHA256.hash(data: value).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// In a time that depends on the lengths alone.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
