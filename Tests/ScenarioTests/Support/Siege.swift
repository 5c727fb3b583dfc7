import Bastion
import Glibc

/// What the primary's daemon has left for its own work while clients crowd its ports, sampled some ten times a second.
final class Siege: CustomStringConvertible {
    private let scene: Scene
    private let daemon: Int32
    private let filesBefore: Int
    private let acceptedBefore: Int
    /// The least time that was left on the primary's lease, in seconds: the lease less the longest delay of its renewal.
    private(set) var leastLease = Double.infinity
    private(set) var slowestPage = Duration.zero
    private(set) var samples = 0
    /// The most files the daemon had open beyond those of the beginning: connections it holds.
    private(set) var mostFiles = 0
    /// Connections the proxy's primary port accepted.
    private(set) var accepted = 0

    init(_ scene: Scene) throws {
        self.scene = scene
        guard let daemon = scene.sandbox.daemonPID(scene.primary) else { throw ScenarioFailure("no daemon on \(scene.primary.name)") }
        self.daemon = daemon
        filesBefore = Siege.files(of: daemon)
        acceptedBefore = try Siege.accepted(in: Siege.page(scene.primary.metricsPort))
    }

    var description: String {
        let lease = (leastLease * 100).rounded() / 100
        return "lease at least \(lease) s, metrics page at most \(Report.seconds(slowestPage)), \(samples) samples"
    }

    /// Samples for `duration`, and on until `isReached`; no commit and no answer on the unix socket may be missing meanwhile.
    func lasts(_ duration: Duration, _ crowd: Crowd? = nil, until isReached: (Crowd.Census) -> Bool = { _ in true }) async throws {
        let begin = ContinuousClock.now
        var asked = begin
        while true {
            crowd?.drip()
            try sample()
            if ContinuousClock.now - asked > .seconds(1) {
                let local = ClientProgram.run("leader", on: scene.primary, of: scene.sandbox)
                try hold(local.status == 0, "the unix socket does not answer: \(local)")
                asked = ContinuousClock.now
            }
            let census = crowd?.census() ?? Crowd.Census()
            let elapsed = ContinuousClock.now - begin
            if elapsed >= duration, isReached(census) { break }
            try hold(elapsed < .seconds(60), "after 60 s: \(census); the proxy accepted \(accepted), \(self)")
            poll(nil, 0, 50)
        }
        try await scene.commits(10)
    }

    /// The lease of 3 s was renewed in time all along, with half a second to spare.
    func held() throws { try hold(leastLease > 0.5, "the lease was down to \(leastLease) s") }

    private func sample() throws {
        let began = ContinuousClock.now
        let page = try Siege.page(scene.primary.metricsPort)
        slowestPage = max(slowestPage, ContinuousClock.now - began)
        leastLease = min(leastLease, try Siege.value("primary_lease_remaining_seconds", in: page))
        accepted = try Siege.accepted(in: page) - acceptedBefore
        mostFiles = max(mostFiles, Siege.files(of: daemon) - filesBefore)
        samples += 1
    }

    private static func accepted(in page: String) throws -> Int {
        Int(try value("proxy_connections_total", in: page, having: "port_type=\"primary\""))
    }

    private static func value(_ name: String, in page: String, having label: String = "") throws -> Double {
        let line = page.split(separator: "\n").first { $0.hasPrefix("pgbastion_\(name)") && $0.contains(label) }
        guard let value = line?.split(separator: " ").last.flatMap({ Double($0) }) else {
            throw ScenarioFailure("the metrics page has no \(name): \(page.prefix(300))")
        }
        return value
    }

    private static func files(of process: Int32) -> Int {
        guard let folder = opendir("/proc/\(process)/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }

    /// The metrics page over a connection of its own.
    private static func page(_ port: Int) throws -> String {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { throw ScenarioFailure("no socket: \(String(cString: strerror(errno)))") }
        defer { close(handle) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7f00_0001).bigEndian)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        let request = Array("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
        guard connected == 0, send(handle, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw ScenarioFailure("the metrics port does not answer: \(String(cString: strerror(errno)))")
        }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(handle, &piece, piece.count, 0)
            guard count >= 0 else { throw ScenarioFailure("the metrics page did not come: \(String(cString: strerror(errno)))") }
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            text += piece[..<count]
        }
    }
}
