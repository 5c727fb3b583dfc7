import CLinux
import ClusterModel
import FailoverCore
import Glibc
import Guard
import HTTPAPI
import Operations

/// A real cluster on this machine: a daemon, a guard and a PostgreSQL per node, on loopback, in one directory.
///
/// It carries the demo and the scenario tests. What it starts it stops, by process id.
package struct Sandbox: Sendable {
    package let layout: SandboxLayout
    /// The binary the daemons run.
    package let program: String
    package let log: @Sendable (String) -> Void

    package init(layout: SandboxLayout, program: String, log: @escaping @Sendable (String) -> Void) {
        self.layout = layout
        self.program = program
        self.log = log
    }

    /// Opens the sandbox in a directory.
    package static func open(
        _ directory: String, program: String, log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(BastionError) -> Sandbox {
        Sandbox(layout: try SandboxLayout.load(directory), program: program, log: log)
    }

    /// Makes a new sandbox with free ports, or resumes the one that is there.
    package static func create(
        directory: String, nodes: Int, basePort: Int? = nil, extraConfiguration: String = "", program: String,
        log: @escaping @Sendable (String) -> Void
    ) throws(BastionError) -> Sandbox {
        guard (1...9).contains(nodes) else { throw BastionError(.usage, "a sandbox has 1 to 9 nodes") }
        if TextFiles.read(SandboxLayout.file(directory)) != nil { return try open(directory, program: program, log: log) }
        let base: Int
        if let basePort { base = basePort } else { base = try SandboxPorts.free(nodes: nodes) }
        let layout = SandboxLayout(
            directory: directory, count: nodes, basePort: base, binDirectory: try SandboxLayout.binDirectory(),
            token: "sandbox-token")
        for node in layout.nodes {
            for path in [layout.runDirectory(node), layout.stateDirectory(node)] { try makeDirectories(path) }
            try TextFiles.write(layout.yaml(node, extra: extraConfiguration), to: layout.configuration(node))
        }
        try layout.save()
        return Sandbox(layout: layout, program: program, log: log)
    }

    /// The same sandbox with one more node, which holds nothing and does not run yet.
    package func adding() throws(BastionError) -> Sandbox {
        guard let last = layout.nodes.last else { throw BastionError(.internal, "the sandbox has no nodes") }
        var wider = layout
        let node = SandboxNode(number: last.number + 1, basePort: last.basePort + 10)
        wider.nodes.append(node)
        for path in [wider.runDirectory(node), wider.stateDirectory(node)] { try makeDirectories(path) }
        try TextFiles.write(wider.yaml(node), to: wider.configuration(node))
        try wider.save()
        return Sandbox(layout: wider, program: program, log: log)
    }

    package func node(_ name: String) throws(BastionError) -> SandboxNode {
        guard let node = layout.nodes.first(where: { $0.name == name }) else {
            throw BastionError(.notFound, "the sandbox has no node \"\(name)\"")
        }
        return node
    }

    // MARK: Processes

    /// The daemon's process, if it runs.
    package func daemonPID(_ node: SandboxNode) -> Int32? {
        guard let text = TextFiles.read(layout.pidFile(node)), let pid = Int32(text), SandboxProcesses.isOurs(pid, program)
        else { return nil }
        return pid
    }

    /// The guard's process: the one that listens on its socket.
    package func guardPID(_ node: SandboxNode) -> Int32? {
        SandboxProcesses.find(arguments: ["guard", "--state-dir", layout.stateDirectory(node)])
    }

    package func postmasterPID(_ node: SandboxNode) -> Int32? {
        guard let text = TextFiles.read(layout.dataDirectory(node) + "/postmaster.pid"),
            let pid = text.split(separator: "\n").first.flatMap({ Int32($0) }), SandboxProcesses.exists(pid)
        else { return nil }
        return pid
    }

    /// - Parameter version: What the daemon says it is; for runbooks that upgrade.
    package func startDaemon(_ node: SandboxNode, version: String? = nil) throws(BastionError) {
        guard daemonPID(node) == nil else { return }
        let request = SpawnRequest(
            program: program, arguments: ["serve", "--config", layout.configuration(node)],
            environment: SandboxProcesses.environment() + (version.map { ["\(ReportedVersion.variable)=\($0)"] } ?? []), directory: "/",
            logFile: layout.log(node))
        let pid = request.detach()
        guard pid > 0 else {
            throw BastionError(.io, "could not start the daemon of \"\(node.name)\"", detail: String(cString: strerror(errno)))
        }
        try TextFiles.write("\(pid)", to: layout.pidFile(node))
    }

    // MARK: Cluster

    package func invoker(_ node: SandboxNode) -> HTTPOperationInvoker {
        let token = ClientSettings.Token(value: Array(layout.token.utf8), source: "the sandbox")
        return HTTPOperationInvoker(
            settings: ClientSettings(
                endpoints: [.unixSocket(path: layout.socket(node)), .http(host: "127.0.0.1", port: node.apiPort)],
                token: token, connectTimeout: .seconds(1)))
    }

    /// Starts every daemon, forms the cluster, and waits until every node streams.
    package func start() async throws(BastionError) {
        for node in layout.nodes { try startDaemon(node) }
        guard let first = layout.nodes.first else { return }
        try await wait("a primary on \(first.name)", seconds: 60) { try await self.hasPrimary(first) }
        for node in layout.nodes.dropFirst() {
            log("adding \(node.name)")
            try await add(node, through: first)
        }
        try await waitUntilHealthy()
    }

    private func hasPrimary(_ node: SandboxNode) async throws -> Bool {
        try await state(node).primary?.phase == "serving"
    }

    private func add(_ node: SandboxNode, through first: SandboxNode) async throws(BastionError) {
        let input = "{\"name\":\"\(node.name)\",\"address\":\"127.0.0.1:\(node.raftPort)\"}"
        try await wait("\(node.name) to be added", seconds: 30) {
            let answer = try await self.call("peer.add", input, through: first)
            return answer.ok
        }
    }

    /// Every node runs, one primary serves, every replica streams, and nothing is in progress.
    package func waitUntilHealthy(seconds: Int = 90, nodes: Int? = nil) async throws(BastionError) {
        let wanted = nodes ?? layout.nodes.count
        try await wait("\(wanted) healthy nodes", seconds: seconds) {
            for node in layout.nodes where daemonPID(node) != nil {
                let state = try await self.state(node)
                guard state.nodes.filter({ $0.healthy == true }).count >= wanted, state.primary?.phase == "serving",
                    state.operation == nil
                else { return false }
            }
            return true
        }
    }

    /// Waits for a condition with a deadline; an unreachable node is asked again.
    package func wait(
        _ what: String, seconds: Int, _ condition: () async throws -> Bool
    ) async throws(BastionError) {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(seconds)
        var last = ""
        while clock.now < deadline {
            do {
                if try await condition() { return }
            } catch {
                last = "\(error)"
            }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { break }
        }
        throw BastionError(
            .timeout, "the sandbox did not reach: \(what), within \(seconds) s", detail: last.isEmpty ? nil : last,
            hint: "look at \(layout.directory)/node1/daemon.log")
    }
}
