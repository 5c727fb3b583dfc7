/// Where a machine is: an IP address or a host name, without a port.
package struct HostAddress: Sendable, Hashable, CustomStringConvertible {
    /// Without brackets, also for IPv6.
    package let text: String

    /// nil when `text` is neither an address nor a host name; IPv6 may stand in brackets.
    package init?(_ text: String) {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        let isBracketed = bare != text
        if let address = IPAddress(bare) {
            guard address.isIPv6 || !isBracketed else { return nil }
        } else {
            guard !isBracketed, HostAddress.isHostName(bare) else { return nil }
        }
        self.text = bare
    }

    package var ipAddress: IPAddress? { IPAddress(text) }
    package var description: String { text }

    /// - Source: RFC 1123, section 2.1; the last label is not a number, so that a mistyped address is no name.
    private static func isHostName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy(isNameByte)
        }
        return areLabels && !(labels.last?.utf8.allSatisfy { (48...57).contains($0) } ?? true)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}

/// A host and a port: `10.0.1.1:8300`, `[::1]:8300`, `node1:8300`.
package struct HostAndPort: Sendable, Hashable, CustomStringConvertible {
    package var host: HostAddress
    package var port: TCPPort

    package init(host: HostAddress, port: TCPPort) {
        self.host = host
        self.port = port
    }

    /// nil when `text` is not `HOST`, `HOST:PORT`, an IPv6 address or `[IPV6]:PORT`.
    package init?(_ text: String, defaultPort: TCPPort) {
        if let host = HostAddress(text) {
            self.init(host: host, port: defaultPort)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let host = HostAddress(String(text[..<colon])),
            let port = TCPPort(text[text.index(after: colon)...])
        else { return nil }
        // An IPv6 address without brackets would swallow its last group as a port.
        guard host.ipAddress?.isIPv6 != true || text.hasPrefix("[") else { return nil }
        self.init(host: host, port: port)
    }

    package var description: String { host.text.contains(":") ? "[\(host.text)]:\(port)" : "\(host.text):\(port)" }
}
