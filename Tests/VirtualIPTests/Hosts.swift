import FoundationEssentials
import Glibc
import PostgresTestKit
import Synchronization

/// Hosts on one Ethernet segment: each a network namespace that lives as long as a process in it, joined by a bridge.
final class Hosts: Sendable {
    static let address = "10.78.0.100"
    /// `node1` to `node3`, and the client, which runs nothing of ours.
    let names = ["node1", "node2", "node3", "client"]
    let directory = TestDirectory("pgbastion-vip")
    private let keepers: Mutex<[TestProcess]>
    private let daemons = Mutex<[Int: TestProcess]>([:])
    private let program: String

    init() throws {
        guard geteuid() == 0 else {
            throw WireFailure("this scenario makes network namespaces: run it as root")
        }
        program = try Hosts.binary()
        var started: [TestProcess] = []
        for _ in 0...names.count {
            started.append(TestProcess.start(["/usr/bin/unshare", "-n", "/bin/sleep", "1800"], environment: Wire.environment))
        }
        keepers = Mutex(started)
        do {
            for keeper in started { try Wire.waitForNamespace(of: keeper.pid) }
            try connect(started)
        } catch {
            remove()
            throw error
        }
    }

    private func connect(_ started: [TestProcess]) throws {
        let bridge = started[names.count].pid
        try Wire.run("nsenter -t \(bridge) -n sh -c 'ip link add br0 type bridge; ip link set br0 up'")
        for index in names.indices {
            let pid = started[index].pid
            try Wire.run("nsenter -t \(bridge) -n ip link add port\(index) type veth peer name eth0 netns \(pid)")
            try Wire.run("nsenter -t \(bridge) -n sh -c 'ip link set port\(index) master br0; ip link set port\(index) up'")
            let own = Hosts.hostAddress(index)
            try Wire.run("nsenter -t \(pid) -n sh -c 'ip link set lo up; ip address add \(own)/24 dev eth0; ip link set eth0 up'")
        }
    }

    static func hostAddress(_ index: Int) -> String { index == 3 ? "10.78.0.9" : "10.78.0.\(index + 1)" }

    /// Everything that was started ends; the namespaces go with their processes.
    func remove() {
        for index in 0..<3 { killEverything(index) }
        for keeper in keepers.withLock({ $0 }) {
            keeper.send(SIGKILL)
            _ = keeper.waitForExit()
        }
        directory.remove()
        unlink(program)
    }

    // MARK: Commands

    func namespace(_ index: Int) -> pid_t { keepers.withLock { $0[index].pid } }

    @discardableResult
    func on(_ index: Int, _ script: String) throws -> String {
        try Wire.run("nsenter -t \(namespace(index)) -n sh -c '\(script)'")
    }

    func hardware(_ index: Int) throws -> String {
        let link = try on(index, "ip -o link show dev eth0")
        guard let found = link.split(separator: " ").drop(while: { $0 != "link/ether" }).dropFirst().first else {
            throw WireFailure("no hardware address in \(link)")
        }
        return String(found)
    }

    /// The client program on one node.
    @discardableResult
    func pgbastion(_ index: Int, _ arguments: String) throws -> String {
        try on(index, "PGBASTION_CONFIG=\(file(index)) \(program) \(arguments) < /dev/null 2>&1")
    }

    /// The nodes that have the virtual address, and how long it took to look at all three.
    func owners() throws -> (nodes: [Int], took: Duration) {
        let began = ContinuousClock.now
        let script = (0..<3).map { "nsenter -t \(namespace($0)) -n ip -o address show to \(Hosts.address); echo =" }.joined(separator: "; ")
        let parts = try Wire.run(script).split(separator: "=", omittingEmptySubsequences: false)
        return ((0..<3).filter { parts[$0].contains(Hosts.address) }, ContinuousClock.now - began)
    }

    /// A field of a node's `/health`, as text; empty when the daemon does not answer.
    func health(_ index: Int, _ field: String) throws -> String {
        let text = try Wire.run(
            "curl -s -m 2 --unix-socket \(directory.path)/node\(index + 1)/run/api.sock http://localhost/health | jq -r .\(field) || true")
        return String(text.prefix { $0 != "\n" })
    }

    /// Whether every commit waits for a replica, as `status` tells it.
    func synchronousIsSettled(_ index: Int) throws -> Bool {
        let status = try pgbastion(index, "status -o json")
        return status.contains("\"mode\":\"quorum\"") && status.contains("\"degraded\":false")
    }

    // MARK: Daemons

    private func file(_ index: Int) -> String { "\(directory.path)/node\(index + 1)/pgbastion.yaml" }
    func log(_ index: Int) -> String { Hearer.text("\(directory.path)/node\(index + 1)/log") }

    /// - Parameter postgres: The lines of the section `postgresql`; empty: a witness.
    func configure(_ index: Int, follows: String, postgres: String = "") throws {
        let root = "\(directory.path)/node\(index + 1)"
        try Wire.run("mkdir -p \(root)/run && chown -R postgres: \(root)")
        let text = """
            cluster:
              name: vip
            node:
              name: node\(index + 1)
              address: \(Hosts.hostAddress(index))
              state_dir: \(root)/state
              run_dir: \(root)/run
            raft:
              data_dir: \(root)/raft
              bootstrap: \(index == 0)
            api:
              socket: \(root)/run/api.sock
            vip:
              address: \(Hosts.address)/24
              interface: eth0
              follows: \(follows)
              renew_interval: 1s
            \(postgres)
            """
        try Data(text.utf8).write(to: URL(filePath: file(index)))
        ServiceUser.own(file(index))
    }

    /// - Parameter capabilities: What the daemon may do besides being user postgres.
    func start(_ index: Int, capabilities: String = "+net_admin,+net_raw") {
        let root = "\(directory.path)/node\(index + 1)"
        let rights = capabilities.isEmpty ? [] : ["--inh-caps=\(capabilities)", "--ambient-caps=\(capabilities)"]
        let command =
            [
                "/usr/bin/nsenter", "-t", "\(namespace(index))", "-n", "/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres",
                "--init-groups",
            ]
            + rights + ["--", program, "serve", "--config", file(index)]
        let process = TestProcess.start(command, environment: Wire.environment, logFile: root + "/log")
        daemons.withLock { $0[index] = process }
    }

    func kill(_ index: Int) {
        guard let daemon = daemons.withLock({ $0.removeValue(forKey: index) }) else { return }
        daemon.send(SIGKILL)
        _ = daemon.waitForExit()
    }

    /// An orderly stop: PostgreSQL goes on under a restart hold.
    func stop(_ index: Int) {
        guard let daemon = daemons.withLock({ $0.removeValue(forKey: index) }) else { return }
        daemon.send(SIGTERM)
        _ = daemon.waitForExit(within: .seconds(20))
    }

    /// The whole host: daemon, guard and PostgreSQL, all by kill -9. The namespace stays.
    func killEverything(_ index: Int) {
        let keeper = namespace(index)
        let script = """
            space=$(readlink /proc/\(keeper)/ns/net)
            for p in /proc/[0-9]*; do
                [ "$(readlink $p/ns/net)" = "$space" ] && [ "${p#/proc/}" != \(keeper) ] && kill -9 "${p#/proc/}"
            done
            """
        _ = TestProcess.run(["/bin/sh", "-c", script], environment: Wire.environment)
        kill(index)
    }

    // MARK: PostgreSQL

    /// Clients of the segment may log in with a password.
    func admitClients(_ index: Int) throws {
        let data = "\(directory.path)/node\(index + 1)/data"
        try waitUntil("node\(index + 1) has data", within: .seconds(90)) { access(data + "/postmaster.pid", F_OK) == 0 }
        try Wire.run("echo host all app 10.78.0.0/24 scram-sha-256 >> \(data)/pg_hba.conf")
        try waitUntil("node\(index + 1) reads pg_hba.conf", within: .seconds(60)) {
            do { try sql(index, "SELECT pg_reload_conf()") } catch { return false }
            return true
        }
    }

    /// As superuser over the node's own socket.
    func sql(_ index: Int, _ statement: String) throws {
        let run = "\(directory.path)/node\(index + 1)/run"
        try Wire.run("setpriv --reuid=postgres --regid=postgres --init-groups psql -X -h \(run) -p 5434 -d postgres -c '\(statement)'")
    }

    /// The binary beside this test bundle, or what `PGBASTION_BINARY` names, copied to where user postgres may read it.
    private static func binary() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let products = "/" + own.split(separator: "/").dropLast().joined(separator: "/")
        let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let named = ProcessInfo.processInfo.environment["PGBASTION_BINARY"]
        let candidates = [named, products + "/pgbastion", root + "/.build/debug/pgbastion"].compactMap { $0 }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw WireFailure("the binary is at none of \(candidates); build it, or set PGBASTION_BINARY")
        }
        let copy = "/tmp/pgbastion-test-\(getpid()).program"
        try Wire.run("cp '\(found)' '\(copy)' && chmod 755 '\(copy)'")
        return copy
    }
}

/// Looks again and again whether two hosts have the address at once.
final class OwnerWatch: Sendable {
    private let state = Mutex(State())
    private struct State {
        var isStopped = false
        var samples = 0
        var conflicts: [[Int]] = []
        var hasEnded = false
    }

    init(_ hosts: Hosts) {
        Task.detached { [self] in
            while !state.withLock({ $0.isStopped }) {
                do {
                    let (nodes, took) = try hosts.owners()
                    // A look that took longer than the question before taking the address may have seen it twice.
                    guard took < .milliseconds(250) else { continue }
                    state.withLock { s in
                        s.samples += 1
                        if nodes.count > 1 { s.conflicts.append(nodes) }
                    }
                } catch { break }
                poll(nil, 0, 20)
            }
            state.withLock { $0.hasEnded = true }
        }
    }

    /// The times at which two had it, and how often it was looked.
    func stop() -> (conflicts: [[Int]], samples: Int) {
        state.withLock { $0.isStopped = true }
        while !state.withLock({ $0.hasEnded }) { poll(nil, 0, 10) }
        return state.withLock { ($0.conflicts, $0.samples) }
    }
}
