import ClusterModel
import Glibc
import HTTPAPI
import Operations
import Runbooks

/// Runbooks on a throw-away cluster: real daemons, guards and PostgreSQL servers, never a real cluster (runbooks.md, section 12).
package struct SandboxRun: Sendable {
    package var library: [String: LoadedRunbook]
    package var log: @Sendable (String) -> Void
    package var keeps: Bool
    package var signals: SignalBox

    package init(library: [String: LoadedRunbook], keeps: Bool, signals: SignalBox, log: @escaping @Sendable (String) -> Void) {
        self.library = library
        self.keeps = keeps
        self.signals = signals
        self.log = log
    }

    /// What runs before the runbook does, and how its questions are answered.
    package struct Script: Sendable {
        package var setup: [Runbooks.OperationCall] = []
        /// By id of a confirm or manual step.
        package var answers: [String: String] = [:]
        package init() {}
    }

    package struct Outcome: Sendable {
        package var finished: RunbookRunner.Finished
        /// Acknowledged commits that are missing; nil: nobody wrote.
        package var lostCommits: Int?
    }

    /// `run --sandbox`.
    package func run(
        _ runbook: LoadedRunbook, given: [String: JSONValue], _ options: RunbookRunner.Options, _ script: Script = Script()
    ) async throws(BastionError) -> Outcome {
        let directory = "/tmp/pgbastion-runbook-\(getpid())-\(UInt16.random(in: 1 ... .max))"
        let isOffline = runbook.runbook.metadata.scope == .offline
        let isFresh = runbook.name == "bootstrap-first-node"
        let sandbox = try SandboxEntry.make(
            directory: directory, nodes: 3, extraConfiguration: SandboxRun.configuration(directory), log: log)
        let hands = SandboxHands(sandbox, localNode: SandboxRun.localNode(script))
        do throws(BastionError) {
            if !isFresh { try await sandbox.start() }
            let runner = try runner(hands, isOffline: isOffline)
            for call in script.setup { try await prepare(call, hands, runner) }
            let finished = try await runner.start(runbook, given: given, options)
            let lost = finished.result.status == .succeeded ? try await hands.lostCommits() : nil
            await end(hands)
            return Outcome(finished: finished, lostCommits: lost)
        } catch {
            await end(hands)
            throw error
        }
    }

    /// Backups go into the sandbox as well.
    private static func configuration(_ directory: String) -> String {
        """
        backup:
          dir: \(directory)/backup
        """
    }

    /// The node on which an offline runbook is run: the one that nothing was done to, or whose daemon was only stopped.
    private static func localNode(_ script: Script) -> String {
        let crashed = script.setup.filter { $0.operation.value == "sandbox.crash" }.compactMap(node)
        let stopped = script.setup.filter { $0.operation.value == "sandbox.stop" }.compactMap(node)
        return stopped.first { !crashed.contains($0) } ?? "node1"
    }

    private static func node(_ call: Runbooks.OperationCall) -> String? {
        call.arguments.first { $0.name.value == "node" }?.value.constant?.string
    }

    private func runner(_ hands: SandboxHands, isOffline: Bool) throws(BastionError) -> RunbookRunner {
        let sandbox = hands.sandbox
        var console = RunConsole(
            say: log, note: log, readLine: { _ in nil }, isInteractive: false, assumesYes: true, confirms: [], signals: signals)
        console.answersItself = true
        let local = try sandbox.node(hands.localNode)
        var runner = RunbookRunner(
            configurationPath: sandbox.layout.configuration(local), environment: ["HOME": sandbox.layout.directory], console: console,
            library: library
        ) { context throws(BastionError) in
            if let context { throw BastionError(.notFound, "the sandbox has no context \"\(context)\"") }
            return SandboxInvoker(hands: hands, isOffline: isOffline)
        }
        runner.hands = hands
        runner.root = sandbox.layout.directory + "/runs"
        return runner
    }

    private func prepare(_ call: Runbooks.OperationCall, _ hands: SandboxHands, _ runner: RunbookRunner) async throws(BastionError) {
        let members = call.arguments.compactMap { argument in argument.value.constant.map { (argument.name.value, $0) } }
        let invocation = OperationInvocation(call.operation.value, .record(members))
        log("setup: \(invocation.operation) \(members.map { "\($0.0)=\($0.1.plainText)" }.joined(separator: " "))")
        if invocation.operation.hasPrefix("sandbox.") {
            if case .failure(let error) = await hands.perform(invocation) { throw error }
            return
        }
        if LocalExecutor.serves(invocation.operation) {
            let executor = runner.localExecutor(runner.configurationPath)
            if case .failure(let error) = await executor.run(invocation, node: nil) { throw error }
            return
        }
        guard let id = RequestID("setup-\(UInt32.random(in: 1 ... .max))") else { return }
        let done = hands.completed(invocation)
        let request = DaemonCall(
            operation: done.operation, input: done.arguments.bytes, requestID: id, waitLimit: .seconds(60), timeout: .seconds(70))
        if let error = try OperationEnvelope(parsing: try await runner.connect(nil).invoke(request)).error { throw error }
    }

    private func end(_ hands: SandboxHands) async {
        let sandbox = hands.sandbox
        if keeps {
            log(sandbox.guide)
            log("stop it with `pgbastion sandbox stop --dir \(sandbox.layout.directory)`")
            return
        }
        await sandbox.stop()
        sandbox.remove()
    }
}

/// Any daemon of the sandbox that runs; an offline runbook's own node only.
private struct SandboxInvoker: OperationInvoker, ArchiveClient {
    let hands: SandboxHands
    let isOffline: Bool

    func invoke(_ call: DaemonCall) async throws(BastionError) -> [UInt8] {
        let sandbox = hands.sandbox
        let nodes = sandbox.layout.nodes.filter { sandbox.daemonPID($0) != nil && (!isOffline || $0.name == hands.localNode) }
        var last = BastionError(.unavailable, "no daemon of the sandbox runs")
        for node in nodes {
            do throws(BastionError) { return try await sandbox.invoker(node).invoke(call) } catch {
                last = error
                guard error.code == .unavailable else { throw error }
            }
        }
        throw last
    }

    /// The first daemon that runs.
    private func first() throws(BastionError) -> HTTPOperationInvoker {
        let sandbox = hands.sandbox
        guard let node = sandbox.layout.nodes.first(where: { sandbox.daemonPID($0) != nil }) else {
            throw BastionError(.unavailable, "no daemon of the sandbox runs")
        }
        return sandbox.invoker(node)
    }

    func fetchArchive(
        _ request: ArchiveRequest, timeout: Duration, into sink: @escaping @Sendable ([UInt8]) throws(BastionError) -> Void
    ) async throws(BastionError) -> String {
        try await first().fetchArchive(request, timeout: timeout, into: sink)
    }

    func record(_ record: BackupRecord, requestID: RequestID) async throws(BastionError) {
        try await first().record(record, requestID: requestID)
    }

    func claim(_ claim: BackupClaim, requestID: RequestID) async throws(BastionError) -> Bool {
        try await first().claim(claim, requestID: requestID)
    }
}
