import ClusterModel
import FoundationEssentials
import Glibc
import HTTPAPI
import Operations

/// What can be done to a sandbox: ask, kill, freeze, stop.
extension Sandbox {
    /// The parts of `status` that waiting needs.
    package struct State: Sendable, Decodable {
        package struct Primary: Sendable, Decodable {
            package var name: String
            package var phase: String
        }
        package struct Node: Sendable, Decodable {
            package var name: String
            package var healthy: Bool?
            package var role: String
            package var state: String
        }
        package struct Running: Sendable, Decodable {
            package var id: String
            package var phase: String
        }
        package var primary: Primary?
        package var nodes: [Node]
        package var operation: Running?
    }

    package struct Answer: Sendable {
        package var ok: Bool
        package var text: String
    }

    /// Waits until commits wait for a replica and the change to that is settled (SE9): from then on a dead primary is replaced
    /// without the loss of an acknowledged row.
    package func waitForSynchronousSet() async throws(BastionError) {
        try await wait("synchronous replication", seconds: 60) {
            let text = try await call("status", through: primary()).text
            return text.contains("\"mode\":\"quorum\"") && text.contains("\"degraded\":false")
        }
    }

    package func call(
        _ operation: String, _ input: String = "{}", through node: SandboxNode, wait: Duration? = nil
    ) async throws(BastionError) -> Answer {
        guard let id = RequestID("sandbox-\(UInt32.random(in: .min ... .max))") else {
            throw BastionError(.internal, "no request id")
        }
        let call = OperationCall(
            operation: operation, input: Array(input.utf8), requestID: id, idempotencyKey: nil, waitLimit: wait,
            timeout: (wait ?? .seconds(10)) + .seconds(10))
        let bytes = try await invoker(node).invoke(call)
        let text = String(decoding: bytes, as: UTF8.self)
        return Answer(ok: text.contains("\"ok\":true"), text: text)
    }

    package func state(_ node: SandboxNode) async throws -> State {
        struct Envelope: Decodable { var data: ViewState? }
        struct ViewState: Decodable {
            struct Primary: Decodable {
                var name: String?
                var phase: String?
            }
            var primary: Primary?
            var nodes: [State.Node]?
            var operation: State.Running?
        }
        let answer = try await call("status", through: node)
        let view = try JSONDecoder().decode(Envelope.self, from: Data(answer.text.utf8)).data
        let primary = view?.primary.flatMap { p in p.name.map { State.Primary(name: $0, phase: p.phase ?? "serving") } }
        return State(primary: primary, nodes: view?.nodes ?? [], operation: view?.operation)
    }

    /// The node that is the primary now, asked at any living daemon.
    package func primary() async throws(BastionError) -> SandboxNode {
        var found: SandboxNode?
        try await wait("a primary", seconds: 30) {
            for node in layout.nodes where daemonPID(node) != nil {
                if let name = try await state(node).primary?.name {
                    found = try self.node(name)
                    return true
                }
            }
            return false
        }
        guard let found else { throw BastionError(.unavailable, "no primary is known") }
        return found
    }

    package enum Process: String, Sendable, CaseIterable { case daemon, guardProcess = "guard", postmaster }

    package func processID(_ process: Process, _ node: SandboxNode) -> Int32? {
        switch process {
        case .daemon: daemonPID(node)
        case .guardProcess: guardPID(node)
        case .postmaster: postmasterPID(node)
        }
    }

    /// Sends a signal to one process of a node; false when it does not run.
    @discardableResult
    package func signal(_ number: Int32, _ process: Process, _ node: SandboxNode) -> Bool {
        guard let pid = processID(process, node) else { return false }
        return kill(pid, number) == 0
    }

    /// The whole node at once: daemon, guard and every PostgreSQL process, as if the machine had lost power.
    package func killNode(_ node: SandboxNode) {
        let own = [guardPID(node), daemonPID(node)].compactMap { $0 }
        let servers = SandboxProcesses.servers(layout.dataDirectory(node))
        // Stopped first, so that nobody sees another die and reacts.
        for pid in own + servers { kill(pid, SIGSTOP) }
        for pid in own + servers { kill(pid, SIGKILL) }
        for pid in SandboxProcesses.servers(layout.dataDirectory(node)) { kill(pid, SIGKILL) }
    }

    /// Stops every node: the daemon by SIGTERM, then its guard, which stops PostgreSQL; what stays after 15 s is killed.
    package func stop() async {
        for node in layout.nodes {
            signal(SIGCONT, .daemon, node)
            signal(SIGCONT, .guardProcess, node)
            if let pid = daemonPID(node) { kill(pid, SIGKILL) }
        }
        for node in layout.nodes { signal(SIGTERM, .guardProcess, node) }
        let isDown = await reached(seconds: 15) { self.layout.nodes.allSatisfy { self.guardPID($0) == nil } }
        if !isDown { for node in layout.nodes { killNode(node) } }
        for node in layout.nodes {
            for pid in SandboxProcesses.servers(layout.dataDirectory(node)) { kill(pid, SIGKILL) }
        }
    }

    package func remove() { TextFiles.removeTree(layout.directory) }

    private func reached(seconds: Int, _ condition: () -> Bool) async -> Bool {
        do throws(BastionError) {
            try await wait("", seconds: seconds) { condition() }
            return true
        } catch {
            return false
        }
    }
}
