import FoundationEssentials
import Glibc
import PostgresTestKit
import Synchronization

/// A cable from this network namespace to another host: a namespace that lives as long as a process in it.
final class Wire: Sendable {
    /// This side's interface; it has 10.77.0.1/24.
    let interface: String
    private let host: TestProcess
    var hostPID: pid_t { host.pid }
    private static let counter = Atomic<Int>(0)

    /// - Throws: `WireFailure` when this process may not make network namespaces.
    init() throws {
        let number = Wire.counter.add(1, ordering: .relaxed).newValue
        interface = "pgbv\(getpid() % 100_000)x\(number)"
        guard geteuid() == 0 else {
            throw WireFailure("these tests make network interfaces: run them as root, or the whole command under `unshare -Urn`")
        }
        host = TestProcess.start(["/usr/bin/unshare", "-n", "/bin/sleep", "600"], environment: Wire.environment)
        do {
            try Wire.waitForNamespace(of: host.pid)
            try Wire.run("ip link add \(interface) type veth peer name eth0 netns \(host.pid)")
            try Wire.run("ip address add 10.77.0.1/24 dev \(interface); ip -6 address add fd77::1/64 dev \(interface) nodad")
            try Wire.run("ip link set \(interface) up")
            try far(
                "ip link set lo up; ip address add 10.77.0.2/24 dev eth0; ip -6 address add fd77::2/64 dev eth0 nodad; ip link set eth0 up")
        } catch {
            remove()
            throw error
        }
    }

    func remove() {
        host.send(SIGKILL)
        _ = host.waitForExit()
        _ = TestProcess.run(["/bin/sh", "-c", "ip link del \(interface)"], environment: Wire.environment)
    }

    static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]

    static func waitForNamespace(of pid: pid_t) throws {
        try waitUntil("the other host's namespace") {
            try run("[ \"$(readlink /proc/\(pid)/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ] && echo yes || true").contains("yes")
        }
    }

    /// A command in this namespace.
    @discardableResult
    static func run(_ script: String) throws -> String {
        let log = "/tmp/pgbastion-test-\(getpid())-wire-\(counter.add(1, ordering: .relaxed).newValue)"
        defer { unlink(log) }
        let status = TestProcess.run(["/bin/sh", "-c", script], environment: environment, logFile: log)
        let output = try access(log, R_OK) == 0 ? String(decoding: Data(contentsOf: URL(filePath: log)), as: UTF8.self) : ""
        guard status == 0 else { throw WireFailure("\(script): exit \(status): \(output)") }
        return output
    }

    /// A command on the other host.
    @discardableResult
    func far(_ script: String) throws -> String { try Wire.run("nsenter -t \(host.pid) -n sh -c '\(script)'") }

    /// Whether this side has the address.
    func has(_ address: String) throws -> Bool { try Wire.run("ip address show dev \(interface)").contains(" \(address)/") }

    func nearHardware() throws -> String { try trimmed(Wire.run("cat /sys/class/net/\(interface)/address")) }
    func farHardware() throws -> String {
        let link = try far("ip -o link show dev eth0")
        guard let found = link.split(separator: " ").drop(while: { $0 != "link/ether" }).dropFirst().first else {
            throw WireFailure("no hardware address in \(link)")
        }
        return String(found)
    }

    private func trimmed(_ text: String) -> String { String(text.prefix { !$0.isWhitespace }) }
}

struct WireFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Looks every 10 ms until `condition` holds.
///
/// - Throws: `WireFailure` naming `what` when it does not within `limit`.
func waitUntil(_ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { throw WireFailure("not within \(limit): \(what)") }
        poll(nil, 0, 10)
    }
}
