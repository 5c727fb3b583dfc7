import ClusterModel

/// Where a node's Raft port is reached: `10.0.1.3:8300`, `10.0.1.3`, `[::1]:8300`, `node3.example.net` (Q08).
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    /// Without brackets, also for IPv6.
    package var host: String
    package var port: Int

    /// nil when `text` is not a host with or without a port.
    package init?(_ text: String, defaultPort: Int) {
        guard let (host, portText) = PeerAddress.split(text), PeerAddress.isHost(host) else { return nil }
        guard let portText else {
            self.init(host: host, port: defaultPort)
            return
        }
        guard !portText.isEmpty, portText.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(portText),
            (1...65_535).contains(port)
        else { return nil }
        self.init(host: host, port: port)
    }

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func split(_ text: String) -> (host: String, port: String?)? {
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            let host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard host.contains(":") else { return nil }
            if rest.isEmpty { return (host, nil) }
            return rest.hasPrefix(":") ? (host, String(rest.dropFirst())) : nil
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (text, nil)
        case 2: return (String(parts[0]), String(parts[1]))
        default: return (text, nil)
        }
    }

    private static func isHost(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        if text.contains(":") {
            return text.utf8.allSatisfy { isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
        }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy(isNameByte)
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}

extension ClusterView {
    /// `raft.bind_port` of this node: the port assumed when an address has none (K05).
    package var defaultRaftPort: Int {
        let own = peers.first { $0.name == node }?.address ?? ""
        return PeerAddress(own, defaultPort: 8300)?.port ?? 8300
    }
}
