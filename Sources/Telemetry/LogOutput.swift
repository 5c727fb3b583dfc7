import ClusterModel
import Glibc

/// Where log lines go.
package protocol LogOutput: Sendable {
    func write(_ line: LogLine, format: LogLine.Format)
}

/// Lines on standard error, each with one `write`, so that lines of several threads never mix.
package struct StandardErrorOutput: LogOutput {
    package init() {}

    package func write(_ line: LogLine, format: LogLine.Format) {
        var bytes = Array(line.rendered(format).utf8)
        bytes.append(UInt8(ascii: "\n"))
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            // Nobody can be told that standard error is gone; the daemon must not stop for it.
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}

/// Lines as entries of the systemd journal, with each pair as a field `PGBASTION_...`.
///
/// - Source: systemd, "Native Journal Protocol".
package struct JournalOutput: LogOutput {
    private let socket: CInt
    private let fallback = StandardErrorOutput()

    /// nil when there is no journal at `path`.
    package init?(path: String = "/run/systemd/journal/socket") {
        guard let connected = JournalOutput.connectedSocket(path) else { return nil }
        socket = connected
    }

    /// Whether systemd connected this process's standard error with the journal.
    package static func isStandardErrorTheJournal(_ journalStream: String?) -> Bool {
        guard let journalStream else { return false }
        var status = stat()
        guard fstat(2, &status) == 0 else { return false }
        return journalStream == "\(status.st_dev):\(status.st_ino)"
    }

    package func write(_ line: LogLine, format: LogLine.Format) {
        let datagram = JournalOutput.datagram(line)
        let sendFlags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
        let sent = datagram.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, sendFlags) }
        // Too long for a datagram, or journald restarts: systemd also reads standard error.
        if sent != datagram.count { fallback.write(line, format: format) }
    }

    /// The entry in the journal's own form: `KEY=value`, or with a length where the value has line breaks.
    static func datagram(_ line: LogLine) -> [UInt8] {
        var entry: [UInt8] = []
        append("MESSAGE", line.sentence, to: &entry)
        append("PRIORITY", priority(line.level), to: &entry)
        append("SYSLOG_IDENTIFIER", "pgbastion", to: &entry)
        for field in line.fields { append("PGBASTION_" + fieldName(field.key), field.value, to: &entry) }
        return entry
    }

    private static func append(_ key: String, _ value: String, to entry: inout [UInt8]) {
        entry += Array(key.utf8)
        if value.utf8.contains(UInt8(ascii: "\n")) {
            entry.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { entry += $0 }
        } else {
            entry.append(UInt8(ascii: "="))
        }
        entry += Array(value.utf8)
        entry.append(UInt8(ascii: "\n"))
    }

    /// The journal allows capital letters, digits and `_`.
    private static func fieldName(_ key: String) -> String {
        String(key.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private static func priority(_ level: LogLine.Level) -> String {
        switch level {
        case .debug: "7"
        case .info: "6"
        case .warn: "4"
        case .error: "3"
        }
    }

    private static func connectedSocket(_ path: String) -> CInt? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { return nil }
        let descriptor = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return nil
    }
}
