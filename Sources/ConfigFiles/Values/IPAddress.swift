import Glibc

/// An IPv4 or IPv6 address as a number; two spellings of one address are equal.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, network order.
    package let bytes: [UInt8]
    package let description: String

    /// nil when `text` is not a literal address (a name, a port or a zone in it).
    package init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        if let four = IPAddress.parse(text, AF_INET, 4) {
            bytes = four
        } else if let sixteen = IPAddress.parse(text, AF_INET6, 16) {
            bytes = sixteen
        } else {
            return nil
        }
        description = text
    }

    package static let loopback = IPAddress(v4: [127, 0, 0, 1], "127.0.0.1")

    private init(v4 bytes: [UInt8], _ text: String) {
        self.bytes = bytes
        description = text
    }

    package var isIPv6: Bool { bytes.count == 16 }
    package var isLoopback: Bool {
        isIPv6 ? bytes == [UInt8](repeating: 0, count: 15) + [1] : bytes[0] == 127
    }
    /// `0.0.0.0` or `::`: every address of the machine.
    package var isWildcard: Bool { bytes.allSatisfy { $0 == 0 } }

    package static func == (a: IPAddress, b: IPAddress) -> Bool { a.bytes == b.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    private static func parse(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}
