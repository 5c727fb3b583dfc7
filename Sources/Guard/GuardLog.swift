import CLinux
import Glibc

/// The guard's log: one line per event on standard error.
///
/// A line must never hold the guard while it may have to kill: a full pipe loses the line, and lines for a file, whose
/// disk may hang, wait until nothing is writable.
struct GuardLog {
    /// Limit: older lines that wait are dropped.
    private static let maximumWaiting = 100
    private var waiting: [String] = []
    private let isFile: Bool

    init() {
        var information = stat()
        isFile = fstat(2, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    }

    mutating func write(_ line: String, mayWait: Bool) {
        waiting.append(line)
        if waiting.count > Self.maximumWaiting { waiting.removeFirst() }
        guard mayWait || !isFile else { return }
        for line in waiting { GuardLog.write(line) }
        waiting = []
    }

    static func write(_ line: String) {
        var ready = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 0) == 1 else { return }
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }
}
