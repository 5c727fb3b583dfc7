import ClusterModel
import FoundationEssentials
import Glibc

/// Processes of a sandbox, looked up in /proc.
enum SandboxProcesses {
    static func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 && state(pid) != "Z" }

    /// `R`, `S`, `T`, `Z`, ... of /proc/PID/stat; nil when there is no such process.
    static func state(_ pid: Int32) -> String? {
        guard let text = TextFiles.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ").first.map(String.init)
    }

    static func arguments(_ pid: Int32) -> [String] {
        guard let text = TextFiles.read("/proc/\(pid)/cmdline") else { return [] }
        return text.split(separator: "\0").map(String.init)
    }

    static func isOurs(_ pid: Int32, _ program: String) -> Bool {
        exists(pid) && arguments(pid).dropFirst().first == "serve"
    }

    /// The process whose arguments after its name begin with these.
    static func find(arguments wanted: [String]) -> Int32? {
        for name in TextFiles.entries("/proc") {
            guard let pid = Int32(name), Array(arguments(pid).dropFirst().prefix(wanted.count)) == wanted,
                state(pid) != "Z"
            else { continue }
            return pid
        }
        return nil
    }

    /// Every PostgreSQL process that works in this data directory.
    static func servers(_ dataDirectory: String) -> [Int32] {
        TextFiles.entries("/proc").compactMap { Int32($0) }.filter { pid in
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(pid)/cwd", &buffer, buffer.count - 1)
            guard count > 0 else { return false }
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) == dataDirectory
                && (arguments(pid).first?.contains("postgres") ?? false)
        }
    }

    static func environment() -> [String] {
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SWIFT_BACKTRACE=enable=no"]
    }
}

/// Finds a block of free loopback ports.
enum SandboxPorts {
    /// Blocks of a hundred from here on, below 32,768: from there the kernel takes ports for outgoing connections, one of which
    /// could have the port of a daemon that is down for a while.
    private static let first = 10_000
    private static let blocks = 227

    static func free(nodes: Int) throws(BastionError) -> Int {
        let start = Int(getpid()) % blocks
        for step in 0..<blocks {
            let base = first + (start + step) % blocks * 100
            if (0..<nodes * 10).allSatisfy({ isFree(base + $0) }) { return base }
        }
        throw BastionError(.io, "no block of free ports was found on loopback")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
