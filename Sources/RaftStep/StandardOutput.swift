import Glibc

/// Standard output without a buffer of its own: a reply is out before the next command is read.
enum StandardOutput {
    /// False when nobody reads any more.
    static func write(_ line: String) -> Bool {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { written += count } else if errno != EINTR { return false }
        }
        return true
    }
}
