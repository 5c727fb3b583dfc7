import ClusterModel
import Operations

/// `--watch`: the same read again and again until interrupted (`cli.md` section 6).
struct WatchLoop: Sendable {
    var operation: AnyOperation
    var call: OperationCall
    var interval: Duration
    var printer: ResultPrinter
    var terminal: Terminal

    /// - Throws: what the source failed with, when it stayed away for the timeout of the command.
    func run(through invoker: any OperationInvoker) async throws(BastionError) -> Int32 {
        let (interruptions, continuation) = AsyncStream.makeStream(of: Void.self)
        let listening = Task {
            await terminal.interruption()
            if !Task.isCancelled { continuation.yield() }
        }
        let repeating = Task {
            defer { continuation.finish() }
            do throws(BastionError) {
                try await repaint(through: invoker)
                return Optional<BastionError>.none
            } catch {
                return error
            }
        }
        if repaints { terminal.write(Self.openScreen) }
        var wasInterrupted = false
        for await _ in interruptions {
            wasInterrupted = true
            break
        }
        listening.cancel()
        repeating.cancel()
        if repaints { terminal.write(Self.closeScreen) }
        if wasInterrupted { return ErrorCode.interrupted.exitStatus }
        if let error = await repeating.value { throw error }
        return 0
    }

    private static let openScreen = "\u{1B}[?1049h"
    private static let clearScreen = "\u{1B}[H\u{1B}[2J"
    private static let closeScreen = "\u{1B}[?1049l"
    private var repaints: Bool { terminal.isOutputTerminal && (printer.format == .table || printer.format == .wide) }

    private func repaint(through invoker: any OperationInvoker) async throws(BastionError) {
        var away: Duration = .zero
        var isFirst = true
        while !Task.isCancelled {
            do throws(BastionError) {
                let envelope = try ResultEnvelope(parsing: try await invoker.invoke(call))
                guard !Task.isCancelled else { return }
                if repaints {
                    terminal.write(Self.clearScreen)
                } else if !isFirst, printer.format != .jsonl {
                    terminal.say("")
                }
                _ = printer.show(envelope, as: .operation(operation))
                away = .zero
                isFirst = false
            } catch {
                away += max(interval, .milliseconds(100))
                if away >= call.timeout { throw error }
            }
            await terminal.pause(interval)
        }
    }
}
