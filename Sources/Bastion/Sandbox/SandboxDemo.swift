import ClusterModel
import Glibc
import Operations
import PostgresControl

/// The main job in two minutes: three nodes, a writer through the proxy, a dead primary, a return, a switchover, a backup.
package struct SandboxDemo: Sendable {
    package let sandbox: Sandbox
    package let log: @Sendable (String) -> Void

    package init(sandbox: Sandbox, log: @escaping @Sendable (String) -> Void) {
        self.sandbox = sandbox
        self.log = log
    }

    private struct Row {
        var event: String
        var outage: Duration
        var failures: Int
        var acknowledged: Int
    }

    /// - Returns: 0 when no acknowledged row is missing.
    package func run() async throws(BastionError) -> Int32 {
        log("starting three nodes in \(sandbox.layout.directory)")
        try await sandbox.start()
        try await sandbox.prepareClients()
        let first = try await sandbox.primary()
        log("\(first.name) is the primary; a client writes through the proxies of the other nodes")
        let proxies = sandbox.layout.nodes.filter { $0 != first }
        let probe = CommitProbe(connection: sandbox.clientConnection(proxies))
        probe.start()
        defer { probe.stop() }
        try await commits(probe, 200)
        try await sandbox.waitForSynchronousSet()

        var rows: [Row] = []
        log("killing \(first.name) with SIGKILL: daemon, guard and PostgreSQL at once")
        probe.beginWindow()
        sandbox.killNode(first)
        try await commits(probe, 100)
        let second = try await sandbox.primary()
        rows.append(row("node of the primary killed (\(first.name) -> \(second.name))", probe))

        log("starting \(first.name) again: it must come back as a replica")
        probe.beginWindow()
        try sandbox.startDaemon(first)
        try await sandbox.waitUntilHealthy(seconds: 60)
        try await sandbox.waitForSynchronousSet()
        rows.append(row("\(first.name) rejoins as a replica", probe))

        log("switching over to \(first.name)")
        probe.beginWindow()
        let answer = try await sandbox.call("switchover", "{\"to\":\"\(first.name)\"}", through: second, wait: .seconds(60))
        guard answer.ok else { throw BastionError(.failed, "the switchover failed", detail: answer.text) }
        try await commits(probe, 100)
        rows.append(row("switchover (\(second.name) -> \(first.name))", probe))
        try await sandbox.waitUntilHealthy(seconds: 60)
        try await backUp(first)
        probe.stop()
        return try await summary(rows, probe)
    }

    /// While the client goes on writing.
    private func backUp(_ node: SandboxNode) async throws(BastionError) {
        log("storing a backup of the cluster state, and checking it byte by byte")
        let sandbox = sandbox
        let commands = BackupCommands(
            configurationPath: sandbox.layout.configuration(node), connect: { sandbox.invoker(node) }, note: log)
        let directory = ("dir", JSONValue.string(sandbox.layout.directory + "/backups"))
        for (operation, arguments) in [
            ("backup.create", [directory]), ("backup.verify", [directory, ("archive", .array([.string("latest")]))]),
            ("backup.list", [directory]),
        ] {
            let answer = try await commands.run(operation, input: .record(arguments))
            guard answer.exitStatus == 0 else { throw BastionError(.failed, "\(operation) failed", detail: answer.text) }
            log(answer.text)
        }
    }

    private func row(_ event: String, _ probe: CommitProbe) -> Row {
        let window = probe.window
        return Row(event: event, outage: window.longestGap, failures: window.failures, acknowledged: window.acknowledged)
    }

    /// Waits until the client has committed `count` more rows.
    private func commits(_ probe: CommitProbe, _ count: Int) async throws(BastionError) {
        let wanted = probe.commitsSoFar + count
        try await sandbox.wait("\(count) commits", seconds: 60) { probe.commitsSoFar >= wanted }
    }

    private func summary(_ rows: [Row], _ probe: CommitProbe) async throws(BastionError) -> Int32 {
        let primary = try await sandbox.primary()
        let missing = try probe.missing(on: sandbox.adminConnection(primary))
        log("")
        log("EVENT".padded(50) + "LONGEST GAP".padded(14) + "FAILED".padded(9) + "COMMITTED")
        for row in rows {
            let gap = "\((row.outage.inSeconds * 1000).rounded() / 1000) s"
            log(row.event.padded(50) + gap.padded(14) + "\(row.failures)".padded(9) + "\(row.acknowledged)")
        }
        log("")
        log("acknowledged rows \(probe.acknowledged.count), lost \(missing.count)")
        return missing.isEmpty ? 0 : ErrorCode.failed.exitStatus
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
