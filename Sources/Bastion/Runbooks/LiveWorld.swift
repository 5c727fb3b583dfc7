import ClusterModel
import Glibc
import Operations
import Runbooks

/// The outside of a real run: daemons over their API, this machine, a person, and the journal's file.
final class LiveWorld: RunWorld {
    struct Means: Sendable {
        /// A way to the daemons of a context; nil: those the command addresses.
        var connect: @Sendable (String?) throws(BastionError) -> any OperationInvoker
        var local: LocalExecutor
        var console: RunConsole
        /// Reads what this machine itself is, for offline runbooks; nil: not wanted.
        var localState: (@Sendable () async -> JSONValue)?
        /// What stands for a person in a sandbox.
        var hands: (any ManualHands)?
    }

    let means: Means
    private let folder: RunFolder
    private let runID: String
    private var lockRequest: LockRequest?
    private var fencing: UInt64?
    private var heartbeat: Task<Void, Never>?
    private var summary: RunSummary
    private var cached: (at: ContinuousClock.Instant, context: String, document: JSONValue)?
    /// What ran, for cases of test files.
    private(set) var executions: [SimulatedWorld.Execution] = []

    init(_ means: Means, folder: RunFolder, summary: RunSummary) {
        self.means = means
        self.folder = folder
        self.summary = summary
        runID = summary.id
    }

    deinit { heartbeat?.cancel() }

    var now: Int64 { wallClockMilliseconds() }
    var signals: [RunSignal] { means.console.signals.all }
    var isInteractive: Bool { means.console.isInteractive }

    func write(_ line: String) throws(RunHalt) {
        do throws(BastionError) { try folder.write(line) } catch { throw .journal(error) }
    }

    // MARK: State

    func state(context: String?) async -> Result<JSONValue, BastionError> {
        let key = context ?? ""
        // 4.3: a state document serves for at most 2 s; within one decision it is the same.
        if let cached, cached.context == key, cached.at.duration(to: .now) < .milliseconds(500) { return .success(cached.document) }
        var answer = await invoke("state.export", .object([]), context: context, timeout: .seconds(10))
        // Offline: without a daemon the document says what this machine has.
        if context == nil, let read = means.localState {
            let local = await read()
            switch answer {
            case .success(var document):
                document.setMember("local", local)
                answer = .success(document)
            case .failure:
                do throws(BastionError) {
                    var document = try BuiltinState.freshHost.document()
                    document.setMember("local", local)
                    if let standing = await means.local.backupStanding(node: means.hands?.localNode, now: now) {
                        document.setMember("backup", standing)
                    }
                    document.setMember("source", .string("live"))
                    document.setMember("captured_at", .string(Timestamp.text(milliseconds: now)))
                    answer = .success(document)
                } catch {
                    answer = .failure(error)
                }
            }
        }
        if case .success(let document) = answer { cached = (.now, key, document) }
        return answer
    }

    // MARK: Calls

    func call(_ request: StepRequest) async -> Result<JSONValue, BastionError> {
        cached = nil
        let result: Result<JSONValue, BastionError>
        if let hands = means.hands, request.invocation.operation.hasPrefix("sandbox.") {
            result = await hands.perform(request.invocation)
        } else if LocalExecutor.serves(request.invocation.operation) {
            result = await means.local.run(request.invocation, node: means.hands?.localNode)
        } else {
            result = await remote(request)
        }
        if case .success(let output) = result {
            executions.append(
                SimulatedWorld.Execution(
                    step: request.step, item: request.item, operation: request.invocation.operation,
                    isMutating: request.isMutating && !output.saysAlreadySo))
        }
        return result
    }

    private func remote(_ request: StepRequest) async -> Result<JSONValue, BastionError> {
        if fencing == nil, request.isMutating, request.context == nil, let lock = lockRequest, lock.isOffline { _ = await takeLock(lock) }
        let invocation = means.hands?.completed(request.invocation) ?? request.invocation
        return await invoke(
            invocation.operation, invocation.arguments, context: request.context, timeout: request.timeout,
            key: request.isMutating ? request.key : nil, overrides: request.overrides)
    }

    private func invoke(
        _ operation: String, _ input: JSONValue, context: String?, timeout: Duration, key: String? = nil, overrides: [String] = []
    ) async -> Result<JSONValue, BastionError> {
        do throws(BastionError) {
            let invoker = try means.connect(context)
            guard let id = RequestID("\(runID)-\(UInt32.random(in: 1 ... .max))") else { throw BastionError(.internal, "no request id") }
            let allowed = Catalogue.operation(named: operation)?.definition.overridableChecks ?? []
            var call = DaemonCall(
                operation: operation, input: input.bytes, requestID: id, idempotencyKey: key.flatMap { RunKey.wire($0) },
                waitLimit: key == nil ? nil : timeout, timeout: timeout + .seconds(10), overrides: overrides.filter { allowed.contains($0) }
            )
            call.runID = runID
            // The lock is that of the run's own cluster.
            call.fencing = context == nil ? fencing : nil
            let envelope = try OperationEnvelope(parsing: try await invoker.invoke(call))
            if let error = envelope.error { throw error }
            return .success(envelope.data ?? .object([]))
        } catch {
            return .failure(error)
        }
    }

    func outcome(of request: StepRequest) async -> KeyOutcome {
        if LocalExecutor.serves(request.invocation.operation) || request.invocation.operation.hasPrefix("sandbox.") { return .unknown }
        guard let key = RunKey.wire(request.key) else { return .unknown }
        let asked = await invoke(
            "run.outcome", .record([("key", .string(key.rawValue))]), context: request.context, timeout: .seconds(10))
        guard case .success(let answer) = asked else { return .unknown }
        guard answer["known"]?.bool == true else { return .neverHeard }
        let message = answer["message"]?.string ?? ""
        switch answer["state"]?.string {
        case "running": return .running
        case "succeeded":
            var output = answer["operation"] ?? .object([])
            if output.isNull { output = .object([]) }
            output.setMember("already_so", .bool(false))
            return .finished(.success(output))
        case "incomplete": return .finished(.failure(BastionError(.incomplete, message)))
        case "rejected": return .finished(.failure(BastionError(.preconditionFailed, message)))
        default: return .finished(.failure(BastionError(.failed, message)))
        }
    }

    func sleep(milliseconds: Int64) async {
        cached = nil
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        // A signal ends the wait at the next look.
        while ContinuousClock.now < end, signals.isEmpty {
            do { try await Task.sleep(for: min(.milliseconds(250), ContinuousClock.now.duration(to: end))) } catch { return }
        }
    }

    // MARK: People

    func canAnswer(_ question: RunQuestion) -> Bool { means.console.canAnswer(question) }
    func ask(_ question: RunQuestion) -> RunReply { means.console.answer(question) }

    func begin(_ work: ManualWork) async -> Result<Void, BastionError> {
        cached = nil
        if let hands = means.hands { return await hands.perform(work) }
        let item = work.item.map { " (\($0))" } ?? ""
        means.console.note("\(work.step)\(item): \(work.instructions)")
        guard let program = work.exec.first else { return .success(()) }
        return await means.local.execute(program, Array(work.exec.dropFirst()))
    }

    // MARK: The lock

    func acquireLock(_ lock: LockRequest) async -> BastionError? {
        lockRequest = lock
        let refusal = await takeLock(lock)
        // Without a working cluster the journal's own lock excludes a second runner; the cluster's is taken as soon as it leads.
        if let refusal, lock.isOffline, refusal.code != .locked { return nil }
        return refusal
    }

    private func takeLock(_ lock: LockRequest) async -> BastionError? {
        let input = JSONValue.record([
            ("run_id", .string(lock.runID)), ("runbook", .string(lock.runbook)), ("holder", .string(summary.user)),
            ("node", .optional(lock.node)),
        ])
        switch await invoke("run.lock", input, context: nil, timeout: .seconds(15), key: nil) {
        case .failure(let error): return error
        case .success(let answer):
            fencing = answer["fencing"]?.integer.flatMap { UInt64(exactly: $0) }
            beat()
            return nil
        }
    }

    /// Every 10 s, for as long as the run lives.
    private func beat() {
        heartbeat?.cancel()
        let (connect, run) = (means.connect, runID)
        heartbeat = Task {
            while !Task.isCancelled {
                do {
                    try await Task.sleep(for: .seconds(10))
                    guard let id = RequestID("\(run)-beat-\(UInt32.random(in: 1 ... .max))") else { return }
                    let input = JSONValue.record([("run_id", .string(run))])
                    var call = DaemonCall(operation: "run.beat", input: input.bytes, requestID: id, timeout: .seconds(5))
                    call.runID = run
                    _ = try await connect(nil).invoke(call)
                } catch is CancellationError {
                    return
                } catch {
                    // The lock becomes orphaned, and still excludes: nothing is to be done here.
                    continue
                }
            }
        }
    }

    func releaseLock() async {
        heartbeat?.cancel()
        guard fencing != nil else { return }
        _ = await invoke("run.release", .record([("run_id", .string(runID))]), context: nil, timeout: .seconds(10))
        fencing = nil
    }

    // MARK: Progress

    func report(_ event: RunEvent) async {
        let console = means.console
        switch event {
        case .status(let status): summary.status = status.rawValue
        case .judged(let entry, let phase):
            if !entry.isPass { console.note("\(phase) \(entry.id) (\(entry.level)): \(entry.message)") }
        case .started(let step, let title):
            summary.step = step.path
            console.note(
                "\(step.phase == .step ? "" : "\(step.phase.rawValue) ")\(step.path)\(step.item.map { "[\($0)]" } ?? ""): \(title)")
        case .ended(let step):
            summary.steps.append("\(step.path)\(step.item.map { "/\($0)" } ?? "") \(step.outcome)")
            if step.outcome != "succeeded" { console.note("  \(step.outcome)\(step.message.isEmpty ? "" : ": \(step.message)")") }
            await record()
        case .waiting, .note: break
        case .finished(let result):
            summary.status = result.status.rawValue
            summary.exitStatus = result.exitStatus
            summary.message = result.failure?.message ?? ""
            summary.endedAt = result.endedAt
            await record()
        }
    }

    /// The compact copy in the replicated state; a failure never changes what the run does.
    private func record() async {
        var copy = summary
        copy.steps = Array(copy.steps.suffix(200))
        do throws(BastionError) {
            let text = String(decoding: try JSONText.encode(copy), as: UTF8.self)
            _ = await invoke("run.record", .record([("summary", .string(text))]), context: nil, timeout: .seconds(5))
        } catch {}
    }
}

/// What stands for a person in a throw-away cluster.
protocol ManualHands: Sendable {
    /// The node that stands for "this machine".
    var localNode: String { get }
    func perform(_ work: ManualWork) async -> Result<Void, BastionError>
    func perform(_ call: OperationInvocation) async -> Result<JSONValue, BastionError>
    /// Arguments as this cluster needs them.
    func completed(_ call: OperationInvocation) -> OperationInvocation
}

/// Keys as daemons take them.
enum RunKey {
    /// `run-id/step/item` with points for the slashes, which no id contains; a long one is shortened by its hash.
    static func wire(_ key: String) -> RequestID? {
        let plain = String(key.map { $0 == "/" ? "." : $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
        if plain.utf8.count <= 128, plain == key.replacing("/", with: ".") { return RequestID(plain) }
        return RequestID("\(plain.prefix(60))-\(SHA256.hex(Array(key.utf8)).prefix(40))")
    }
}

/// A call of a daemon; runbooks have calls of their own.
typealias DaemonCall = Operations.OperationCall
