import Glibc

/// Why a file could not be read, in the system's words.
package struct FileProblem: Error, Sendable, Hashable {
    package let reason: String
    package init(reason: String) { self.reason = reason }
}

/// Reads whole files of a limited size.
enum SmallFile {
    /// - Throws: when `path` is missing, unreadable, a directory, or holds more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(FileProblem) -> [UInt8] {
        // O_NONBLOCK: a FIFO in the place of a file must not hang the reader.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemProblem() }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw systemProblem() }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw FileProblem(reason: "it has more than \(limit) bytes") }
            bytes += chunk[..<count]
        }
    }

    private static func systemProblem() -> FileProblem {
        let number = errno
        return FileProblem(reason: strerror(number).map { String(cString: $0) } ?? "error \(number)")
    }
}
