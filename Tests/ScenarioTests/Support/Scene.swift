import Bastion
import ClusterModel
import FoundationEssentials
import Glibc
import PostgresControl

/// One event on a healthy cluster, with a client that writes and a watch over who is writable.
struct Scene: Sendable {
    /// Whose node is touched: the client goes through the proxies of the others.
    enum Touched: Sendable { case primary, replica, everything, nothing }

    let sandbox: Sandbox
    /// Roles when the event began.
    let primary: SandboxNode
    let replicas: [SandboxNode]
    /// The appointment that served when the event began.
    let token: UInt64
    let probe: CommitProbe

    /// The replica that the event touches.
    var replica: SandboxNode { replicas[0] }

    /// Runs an event: a healthy cluster before, a healthy cluster after, no acknowledged row lost, never two writable servers.
    ///
    /// - Parameter longestGap: Loose limit for the time without a commit; the measured one is printed.
    static func play(
        _ name: String, touching touched: Touched, longestGap limit: Duration = .seconds(10),
        _ body: (Scene) async throws -> Void
    ) async throws {
        let cluster = try SuiteCluster.required()
        let sandbox = try await cluster.sandbox()
        do {
            try await play(name, touched, limit, sandbox, body)
        } catch {
            await cluster.noteFailure(name, error)
            throw error
        }
    }

    private static func play(
        _ name: String, _ touched: Touched, _ limit: Duration, _ sandbox: Sandbox, _ body: (Scene) async throws -> Void
    ) async throws {
        try await sandbox.settled(stableFor: .seconds(2))
        let primary = try await sandbox.primary()
        let replicas = sandbox.members.filter { $0 != primary }
        _ = try SimpleQuery.column("TRUNCATE \(CommitProbe.table)", on: sandbox.adminConnection(primary))
        let proxies =
            switch touched {
            case .primary: replicas
            case .replica: [primary] + replicas.dropFirst()
            case .everything, .nothing: sandbox.members
            }
        let probe = CommitProbe(connection: sandbox.clientConnection(proxies))
        let watch = WriterWatch(sandbox)
        let token = try await sandbox.rest(primary).primary?.token ?? 0
        let scene = Scene(sandbox: sandbox, primary: primary, replicas: replicas, token: token, probe: probe)
        probe.start()
        let began = ContinuousClock.now
        do {
            try await scene.commits(50)
            probe.beginWindow()
            try await body(scene)
            try await scene.commits(20)
            try await sandbox.settled(restarting: true)
            try await scene.commits(20)
        } catch {
            probe.stop()
            throw ScenarioFailure("\(error)\(watch.stop().map { "; " + $0 }.joined())")
        }
        let window = probe.window
        probe.stop()
        let conflicts = watch.stop()
        try hold(conflicts.isEmpty, "two writable servers (PR1): \(conflicts)")
        try hold(watch.samples > 100, "the watch over writers hardly ran: \(watch.samples) samples")
        try await scene.nothingIsLost()
        Report.line(
            "\(name): longest gap \(Report.seconds(window.longestGap)), failed \(window.failures), "
                + "acknowledged \(probe.acknowledged.count), lost 0; \(primary.name) -> \(try await sandbox.primary().name), "
                + "all in \(Report.seconds(ContinuousClock.now - began))")
        try hold(window.longestGap <= limit, "no commit for \(Report.seconds(window.longestGap)), limit \(Report.seconds(limit))")
    }

    // MARK: Steps of an event

    /// Waits until the client has committed `count` more rows.
    func commits(_ count: Int) async throws {
        let wanted = probe.commitsSoFar + count
        try await sandbox.wait("\(count) commits, last error \"\(probe.window.lastError)\"", seconds: 60) {
            probe.commitsSoFar >= wanted
        }
    }

    /// Lets time pass when the event itself is a duration.
    func lasts(_ duration: Duration) async throws { try await sandbox.lasts(duration) }

    /// Waits for a new primary that serves.
    @discardableResult
    func takeover() async throws -> SandboxNode {
        var found: SandboxNode?
        try await sandbox.wait("another primary than \(primary.name)", seconds: 60) {
            for node in sandbox.members where node != primary && sandbox.daemonPID(node) != nil {
                guard let now = try await sandbox.state(node).primary, now.phase == "serving", now.name != primary.name else {
                    continue
                }
                found = try sandbox.node(now.name)
                return true
            }
            return false
        }
        guard let found else { throw ScenarioFailure("no new primary") }
        return found
    }

    /// Waits for a new appointment that serves: another node, or the same one after its old server has provably ended.
    func newToken() async throws {
        try await sandbox.wait("a token above \(token)", seconds: 60) {
            for node in sandbox.members where sandbox.daemonPID(node) != nil {
                let now = try await sandbox.rest(node).primary
                if now?.phase == "serving", now?.token ?? 0 > token { return true }
            }
            return false
        }
    }

    func isGone(_ process: Sandbox.Process, _ node: SandboxNode) async throws {
        try await sandbox.wait("the end of the \(process.rawValue) of \(node.name)", seconds: 30) {
            sandbox.processID(process, node) == nil
        }
    }

    /// Asserts that the same server serves as before: same primary, same postmaster.
    func nothingChanged(postmaster: Int32?) async throws {
        let now = try await sandbox.primary()
        try hold(now == primary, "the primary moved from \(primary.name) to \(now.name)")
        try hold(
            postmaster != nil && sandbox.postmasterPID(primary) == postmaster,
            "PostgreSQL was restarted: postmaster \(postmaster ?? 0) became \(sandbox.postmasterPID(primary) ?? 0)")
    }

    /// Every acknowledged row is on every node, as soon as it has replayed.
    private func nothingIsLost() async throws {
        let primary = try await sandbox.primary()
        let missing = try probe.missing(on: sandbox.adminConnection(primary))
        try hold(missing.isEmpty, "\(missing.count) acknowledged rows are lost: \(missing.prefix(20))")
        for node in sandbox.members where node != primary {
            try await sandbox.wait("the same rows on \(node.name)", seconds: 30) {
                try probe.missing(on: sandbox.adminConnection(node)).isEmpty
            }
        }
    }
}
