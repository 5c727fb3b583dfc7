import ClusterModel
import PostgresControl
import PostgresTestKit
import Synchronization

/// One node of a test: our adapter and the server that a guard would have started.
final class TestNode {
    let name: NodeName
    let adapter: PostgresServer
    let server: TestServer
    let input: PostgresSettingsInput

    init(_ text: String, in directory: TestDirectory, adjust: (inout PostgresSettingsInput) -> Void = { _ in }) {
        guard let name = NodeName(text) else { fatalError("\"\(text)\" is not a node name") }
        self.name = name
        server = TestServer(in: directory, name: text)
        var input = PostgresSettingsInput(
            binDirectory: TestServer.binDirectory, dataDirectory: server.dataDirectory,
            stateDirectory: directory.file(text + "-state"), socketDirectory: server.socketDirectory, port: server.port,
            listenAddresses: ["127.0.0.1"], logFile: server.logFile)
        input.clusterName = text
        // Killed servers leave nothing in /dev/shm.
        input.commandLineSettings = ["dynamic_shared_memory_type": "mmap"]
        adjust(&input)
        self.input = input
        adapter = PostgresServer(input)
    }

    var endpoint: PostgresEndpoint { PostgresEndpoint(node: name, host: "127.0.0.1", port: server.port) }

    func settings(following: TestNode? = nil, synchronous: String = "", parameters: [String: String] = [:])
        -> ManagedSettings
    {
        ManagedSettings(
            upstream: following?.endpoint, slot: name.slotName, applicationName: "pgb_00000000_\(name)",
            synchronousStandbyNames: synchronous, parameters: parameters)
    }

    /// Succeeds or stops the test with the error.
    @discardableResult
    func perform(_ action: PostgresAction) async throws -> PostgresOutcome {
        let outcome = await adapter.perform(action)
        if case .failed(let error) = outcome { throw error }
        return outcome
    }

    func start(asStandby: Bool = true) async throws {
        let command = try await adapter.postmasterCommand(asStandby: asStandby)
        server.start(command: [command.program] + command.arguments, environment: command.environment)
        guard server.accepts() else { throw BastionError(.timeout, "server \"\(name)\" did not start") }
    }

    /// A new primary on timeline 2, as bootstrap makes it: initdb, start as standby, promote, roles.
    func bootstrap() async throws {
        try await perform(.initialize)
        try await perform(.prepareStandby(settings()))
        try await start()
        try await promote(to: 2)
        try await perform(.ensureRoles)
    }

    func promote(to timeline: UInt32) async throws {
        try await perform(.reserveTimeline(TimelineID(timeline)))
        server.promote()
        let done = await Eventually.holds { self.server.query("SELECT pg_is_in_recovery()") == "f" }
        guard done else { throw BastionError(.timeout, "server \"\(name)\" was not promoted") }
    }

    /// Clones this node from a running primary and starts it as its replica.
    func join(_ primary: TestNode) async throws {
        guard let secrets = try await primary.adapter.secrets() else { throw BastionError(.failed, "no secrets") }
        try await adapter.adopt(secrets: secrets)
        try await primary.perform(.ensureSlots(keep: [name.slotName], drop: []))
        let seen = SeenProgress()
        let outcome = await adapter.perform(.clone(source: primary.endpoint, slot: name.slotName)) { seen.add($0) }
        guard case .done = outcome else { throw BastionError(.failed, "the clone failed", detail: "\(outcome)") }
        let last = seen.all.last?.progress
        guard last?.phase == "complete", last?.bytesTotal ?? 0 > 0, last?.bytesCopied == last?.bytesTotal else {
            throw BastionError(.failed, "the clone reported no progress")
        }
        try await perform(.prepareStandby(settings(following: primary)))
        try await start()
        guard await streams() else { throw BastionError(.timeout, "\"\(name)\" does not stream") }
        try await perform(.finishRejoin)
    }

    func streams(from host: Int? = nil) async -> Bool {
        await Eventually.holds {
            let receiver = await self.adapter.facts().server?.receiver
            return receiver?.status == "streaming" && (host == nil || receiver?.port == host)
        }
    }

    func catchesUp(with primary: TestNode) async -> Bool {
        let target = primary.server.query("SELECT pg_current_wal_flush_lsn()").flatMap { LSN($0) }
        return await Eventually.holds {
            let facts = await self.adapter.facts().server
            guard let target, let replayed = facts?.replayedLSN else { return false }
            return replayed >= target
        }
    }
}

/// Runs the body with servers that are stopped, and a directory that is removed, however it ends.
func withNodes(
    _ names: String..., adjust: (inout PostgresSettingsInput) -> Void = { _ in },
    body: ([TestNode]) async throws -> Void
) async throws {
    ServiceUser.become()
    let directory = TestDirectory("pgb")
    let nodes = names.map { TestNode($0, in: directory, adjust: adjust) }
    do {
        try await body(nodes)
    } catch {
        for node in nodes { node.server.crash() }
        directory.remove()
        throw error
    }
    for node in nodes { node.server.crash() }
    directory.remove()
}

/// The progress a job reported.
final class SeenProgress: Sendable {
    private let seen: Mutex<[JobReport]> = Mutex([])
    var all: [JobReport] { seen.withLock { $0 } }
    func add(_ progress: JobReport) { seen.withLock { $0.append(progress) } }
}
