import ClusterModel
import Operations

/// Calls an operation once, tells its phases while it runs, and detaches at Ctrl-C (`cli.md` section 9).
///
/// The daemon waits for the outcome and answers with the whole result; the phases are read beside it, so a failure to
/// read them changes nothing.
struct OperationCaller: Sendable {
    private static let firstLook: Duration = .milliseconds(300)
    private static let interval: Duration = .milliseconds(250)

    private enum Event: Sendable {
        case answered(Result<[UInt8], BastionError>)
        case interrupted
    }

    var call: OperationCall
    var followsProgress: Bool
    var progress: ProgressLines
    var terminal: Terminal

    func call(through invoker: any OperationInvoker) async throws(BastionError) -> ResultEnvelope {
        guard followsProgress, !call.dryRun else { return try ResultEnvelope(parsing: try await invoker.invoke(call)) }
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let asking = Task {
            do throws(BastionError) {
                continuation.yield(.answered(.success(try await invoker.invoke(call))))
            } catch {
                continuation.yield(.answered(.failure(error)))
            }
        }
        let telling = Task { await tell(through: invoker) }
        let listening = Task {
            await terminal.interruption()
            if !Task.isCancelled { continuation.yield(.interrupted) }
        }
        var first: Event?
        for await event in events {
            first = event
            break
        }
        asking.cancel()
        telling.cancel()
        listening.cancel()
        var told = await telling.value
        switch first {
        case .answered(let result):
            let envelope = try ResultEnvelope(parsing: try result.get())
            let present = await present(through: invoker, unless: told.isEmpty)
            progress.show(told.newPhases(in: present))
            return envelope
        case .interrupted, nil:
            throw detached(told.operationID)
        }
    }

    private func detached(_ operationID: String?) -> BastionError {
        terminal.interrupted(
            "detached; the operation goes on in the cluster",
            hint: operationID.map { "follow it with `pgbastion op wait \($0)`" }
                ?? "find it with `pgbastion op list`", operationID: operationID)
    }

    /// Reads the running operation of this request again and again until cancelled.
    private func tell(through invoker: any OperationInvoker) async -> ToldPhases {
        var told = ToldPhases()
        var turn = 0
        await terminal.pause(Self.firstLook)
        while !Task.isCancelled {
            let seen = await look(through: invoker)
            if !Task.isCancelled, let seen {
                if told.operationID == nil { progress.announce(seen) }
                progress.show(told.newPhases(in: seen))
                progress.spin(seen, turn: turn)
                turn += 1
            }
            await terminal.pause(Self.interval)
        }
        progress.clear()
        return told
    }

    /// The last phases end together with the operation: one more look, when there was something to tell at all.
    private func present(through invoker: any OperationInvoker, unless isEmpty: Bool) async -> RunningOperation? {
        isEmpty ? nil : await look(through: invoker)
    }

    private func look(through invoker: any OperationInvoker) async -> RunningOperation? {
        guard progress.isShown || progress.asJSON, let id = RequestID("\(call.requestID)-progress") else { return nil }
        let list = OperationCall(
            operation: "op.list", input: Array("{}".utf8), requestID: id, timeout: .seconds(2))
        do throws(BastionError) {
            let envelope = try ResultEnvelope(parsing: try await invoker.invoke(list))
            return RunningOperation.find(startedBy: call.requestID.rawValue, in: envelope.data)
        } catch {
            // Progress is a courtesy: the result of the call decides.
            return nil
        }
    }
}
