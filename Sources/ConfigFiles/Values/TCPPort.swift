/// A TCP port, 1 to 65535.
package struct TCPPort: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    package let rawValue: UInt16

    /// nil when `number` is not a port.
    package init?(_ number: Int) {
        guard (1...65535).contains(number) else { return nil }
        rawValue = UInt16(number)
    }

    /// nil when `text` is not a port in decimal digits.
    package init?(_ text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else {
            return nil
        }
        self.init(number)
    }

    package init(integerLiteral value: UInt16) {
        precondition(value > 0, "0 is not a port")
        rawValue = value
    }

    package var number: Int { Int(rawValue) }
    package var description: String { "\(rawValue)" }
    package static func < (a: TCPPort, b: TCPPort) -> Bool { a.rawValue < b.rawValue }
}
