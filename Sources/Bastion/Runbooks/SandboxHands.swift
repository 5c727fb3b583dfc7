import ClusterModel
import Glibc
import HTTPAPI
import Operations
import PostgresControl
import Runbooks
import Synchronization

/// The `sandbox.*` operations: what a person would do to a machine, and what breaks there (runbooks.md, section 12).
final class SandboxHands: ManualHands {
    private struct Condition: Sendable {
        var sandbox: Sandbox
        /// Versions that daemons are to report.
        var versions: [String: String] = [:]
        var probe: CommitProbe?
    }

    private let state: Mutex<Condition>
    let localNode: String

    init(_ sandbox: Sandbox, localNode: String) {
        state = Mutex(Condition(sandbox: sandbox))
        self.localNode = localNode
    }

    var sandbox: Sandbox { state.withLock { $0.sandbox } }

    /// All nodes share one address: the port tells them apart.
    func completed(_ call: OperationInvocation) -> OperationInvocation {
        guard ["peer.add", "node.rejoin"].contains(call.operation), let name = call.text("name"),
            let node = sandbox.layout.nodes.first(where: { $0.name == name })
        else { return call }
        var call = call
        if call.text("address")?.contains(":") != true { call.arguments.setMember("address", .string("127.0.0.1:\(node.raftPort)")) }
        return call
    }

    func perform(_ work: ManualWork) async -> Result<Void, BastionError> {
        guard work.hasSandbox else {
            return .failure(
                BastionError(.failed, "manual step \"\(work.step)\" has no `sandbox` list: nobody can do it here"))
        }
        for call in work.sandbox {
            if case .failure(let error) = await perform(call) { return .failure(error) }
        }
        return .success(())
    }

    func perform(_ call: OperationInvocation) async -> Result<JSONValue, BastionError> {
        do throws(BastionError) {
            try await carryOut(call)
            return .success(.object([]))
        } catch {
            return .failure(error)
        }
    }

    private func carryOut(_ call: OperationInvocation) async throws(BastionError) {
        let sandbox = sandbox
        if call.operation == "sandbox.load" { return try await load() }
        if call.operation == "sandbox.add" { return try await add(call.text("node")) }
        let node = try sandbox.node(call.text("node") ?? "")
        switch call.operation {
        case "sandbox.stop": try await stop(node, SIGTERM)
        case "sandbox.kill": try await stop(node, SIGKILL)
        case "sandbox.start": try await start(node)
        case "sandbox.crash": sandbox.killNode(node)
        case "sandbox.freeze": sandbox.signal(SIGSTOP, .daemon, node)
        case "sandbox.thaw": sandbox.signal(SIGCONT, .daemon, node)
        case "sandbox.restart":
            if let version = call.text("report_version") { state.withLock { $0.versions[node.name] = version } }
            try await stop(node, SIGTERM)
            try await start(node)
        case "sandbox.wipe": TextFiles.removeTree("\(sandbox.layout.root(node))/raft")
        case "sandbox.wipe-postgres": TextFiles.removeTree(sandbox.layout.dataDirectory(node))
        case "sandbox.stop-postgres": sandbox.signal(SIGINT, .postmaster, node)
        default: throw BastionError(.notFound, "there is no operation \"\(call.operation)\"")
        }
    }

    private func stop(_ node: SandboxNode, _ signal: Int32) async throws(BastionError) {
        let sandbox = sandbox
        guard sandbox.signal(signal, .daemon, node) else { return }
        try await sandbox.wait("the daemon of \(node.name) to end", seconds: 30) { sandbox.daemonPID(node) == nil }
    }

    /// A person looks whether a service runs before going on.
    private func start(_ node: SandboxNode) async throws(BastionError) {
        let sandbox = sandbox
        try sandbox.startDaemon(node, version: state.withLock { $0.versions[node.name] })
        try await sandbox.wait("the daemon of \(node.name) to answer", seconds: 30) {
            _ = try await sandbox.call("version", through: node)
            return true
        }
    }

    /// One more node, empty, with its daemon started.
    private func add(_ name: String?) async throws(BastionError) {
        let wider = try sandbox.adding()
        state.withLock { $0.sandbox = wider }
        guard let node = wider.layout.nodes.last else { return }
        if let name, name != node.name { throw BastionError(.usage, "the next node of the sandbox is \(node.name), not \(name)") }
        try await start(node)
    }

    /// The first call starts the writer; a second one stops it, when the cluster is about to be lost on purpose.
    private func load() async throws(BastionError) {
        if let probe = state.withLock({ $0.probe }) { return probe.stop() }
        let sandbox = sandbox
        try await sandbox.prepareClients()
        let probe = CommitProbe(connection: sandbox.clientConnection(sandbox.layout.nodes))
        state.withLock { $0.probe = probe }
        probe.start()
        try await sandbox.wait("100 acknowledged commits", seconds: 60) { probe.commitsSoFar >= 100 }
    }

    /// Acknowledged commits that are missing; nil without a writer.
    func lostCommits() async throws(BastionError) -> Int? {
        guard let probe = state.withLock({ $0.probe }) else { return nil }
        probe.stop()
        let sandbox = sandbox
        let primary = try await sandbox.primary()
        return try probe.missing(on: sandbox.adminConnection(primary)).count
    }
}
