import ClusterModel
import Operations

/// `-f`: what is new again and again until interrupted (`cli.md` section 6), for operations with the parameters `follow` and
/// `after` whose data has `last`, what to go on after.
struct FollowLoop: Sendable {
    /// Limit: between two questions when the last one brought nothing or nobody answered.
    private static let pause: Duration = .milliseconds(200)

    var operation: AnyOperation
    var call: OperationCall
    var printer: ResultPrinter
    var terminal: Terminal

    /// - Throws: What the source failed with, when it stayed away for the timeout of the command.
    func run(through invoker: any OperationInvoker) async throws(BastionError) -> Int32 {
        let (interruptions, continuation) = AsyncStream.makeStream(of: Void.self)
        let listening = Task {
            await terminal.interruption()
            if !Task.isCancelled { continuation.yield() }
        }
        let following = Task { () -> BastionError? in
            defer { continuation.finish() }
            return await follow(through: invoker)
        }
        var wasInterrupted = false
        for await _ in interruptions {
            wasInterrupted = true
            break
        }
        listening.cancel()
        following.cancel()
        let error = await following.value
        if wasInterrupted { return terminal.interrupted("").code.exitStatus }
        if let error { throw error }
        return 0
    }

    private func follow(through invoker: any OperationInvoker) async -> BastionError? {
        var last: Int64?
        var hasHeader = false
        var away: Duration = .zero
        while !Task.isCancelled {
            do throws(BastionError) {
                let envelope = try ResultEnvelope(parsing: try await invoker.invoke(question(after: last)))
                if let error = envelope.error { throw error }
                guard !Task.isCancelled else { break }
                last = envelope.data["last"]?.integer ?? last
                away = .zero
                if try show(envelope, hasHeader: hasHeader) { hasHeader = true }
            } catch {
                guard error.code.isRetryable else { return error }
                away += FollowLoop.pause
                if away >= call.timeout { return error }
            }
            await terminal.pause(FollowLoop.pause)
        }
        return nil
    }

    private func question(after last: Int64?) throws(BastionError) -> OperationCall {
        guard let last else { return call }
        var next = call
        let asked = try JSONParser.parse(call.input).members ?? []
        let others = asked.filter { $0.name != "after" && $0.name != "since" && $0.name != "n" }
        next.input = JSONValue.object(others + [.init(name: "after", value: .number("\(last)"))]).bytes
        return next
    }

    /// - Returns: Whether something was printed.
    private func show(_ envelope: ResultEnvelope, hasHeader: Bool) throws(BastionError) -> Bool {
        if printer.format == .jsonl {
            let elements = envelope.data.members?.compactMap(\.value.elements).first ?? []
            for element in elements { terminal.say(JSONLine.event(element).text) }
            return !elements.isEmpty
        }
        guard printer.format == .table || printer.format == .wide else {
            _ = printer.show(envelope, as: .operation(operation))
            return true
        }
        let text = try operation.render(data: envelope.data.bytes).text
        guard !text.isEmpty else { return false }
        terminal.say(hasHeader ? text.split(separator: "\n").dropFirst().joined(separator: "\n") : text)
        return true
    }
}
