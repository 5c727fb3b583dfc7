import Glibc

/// A directory that belongs to the service user. `remove()` deletes it with everything in it.
package struct TestDirectory: Sendable {
    package let path: String

    package init(_ label: String = "pgbastion") {
        var template = Array("\(TestDirectory.place)/\(label).XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("could not make a temporary directory") }
        path = String(cString: made)
        ServiceUser.own(path)
    }

    /// In memory when there is room: tests on a busy machine must not wait for its disk.
    private static let place: String = {
        var status = statvfs()
        guard statvfs("/dev/shm", &status) == 0, access("/dev/shm", W_OK) == 0 else { return "/tmp" }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) > 2 << 30 ? "/dev/shm" : "/tmp"
    }()

    package func remove() {
        // A server that just ended, or a storage probe, may still write while the tree is being removed.
        for _ in 0..<20 where access(path, F_OK) == 0 {
            _ = TestProcess.run(["/bin/rm", "-rf", "--", path])
        }
    }

    /// A path inside; nothing is created.
    package func file(_ name: String) -> String { path + "/" + name }
}

package enum Loopback {
    /// A TCP port of 127.0.0.1 that is free now.
    package static func freePort() -> Int {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7f00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(handle, pointer, length) == 0 && getsockname(handle, pointer, &length) == 0
            }
        }
        guard result else { fatalError("there is no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A condition awaited with a deadline, looked at every 10 ms.
package enum Eventually {
    /// - Returns: Whether the condition became true in time.
    package static func holds(
        within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
    ) async rethrows -> Bool {
        let end = ContinuousClock.now + limit
        while true {
            if try await condition() { return true }
            if ContinuousClock.now > end { return false }
            poll(nil, 0, 10)
        }
    }
}
