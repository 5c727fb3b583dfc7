import FoundationEssentials
import Glibc
import PostgresTestKit

extension Wire {
    /// A watch over the ARP that the other host hears, as text.
    func farListener() throws -> (process: TestProcess, log: String) {
        let log = "/tmp/pgbastion-test-\(getpid())-arp-\(interface)"
        let process = TestProcess.start(
            ["/usr/bin/nsenter", "-t", "\(hostPID)", "-n", "/usr/bin/tcpdump", "-l", "-n", "-i", "eth0", "arp"],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"], logFile: log)
        try waitUntil("tcpdump listens") { Hearer.text(log).contains("listening on") }
        return (process, log)
    }
}

/// Counts gratuitous ARP packets.
struct Hearer {
    private let process: TestProcess
    private let log: String

    init(_ listener: (process: TestProcess, log: String)) { (process, log) = listener }

    /// Requests in which somebody asks for his own address.
    var announcements: Int {
        Hearer.text(log).split(separator: "\n").filter { $0.contains("who-has 10.77.0.100") && $0.contains("tell 10.77.0.100") }.count
            + Hearer.text(log).split(separator: "\n").filter { $0.contains("Announcement 10.77.0.100") }.count
    }

    func stop() {
        process.send(SIGTERM)
        _ = process.waitForExit()
        unlink(log)
    }

    static func text(_ path: String) -> String {
        guard access(path, R_OK) == 0 else { return "" }
        do { return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) } catch { return "" }
    }
}
