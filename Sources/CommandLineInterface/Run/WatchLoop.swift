import ClusterModel
import Operations

/// `--watch`: the same read again and again until interrupted (`cli.md` section 6).
struct WatchLoop: Sendable {
    var operation: AnyOperation
    var call: OperationCall
    var interval: Duration
    var printer: ResultPrinter
    var terminal: Terminal

    private enum Ending: Sendable {
        case failed(BastionError)
        case stopped(last: ResultEnvelope?)
    }

    /// - Throws: What the source failed with, when it stayed away for the timeout of the command.
    func run(through invoker: any OperationInvoker) async throws(BastionError) -> Int32 {
        let (interruptions, continuation) = AsyncStream.makeStream(of: Void.self)
        let listening = Task {
            await terminal.interruption()
            if !Task.isCancelled { continuation.yield() }
        }
        let repeating = Task { () -> Ending in
            defer { continuation.finish() }
            return await repaint(through: invoker)
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
        switch await repeating.value {
        case .failed(let error) where !wasInterrupted: throw error
        case .failed: break
        case .stopped(let last): if printer.format == .jsonl, let last { terminal.say(JSONLine.result(last)) }
        }
        return wasInterrupted ? terminal.interrupted("").code.exitStatus : 0
    }

    private static let openScreen = "\u{1B}[?1049h"
    private static let clearScreen = "\u{1B}[H\u{1B}[2J"
    private static let closeScreen = "\u{1B}[?1049l"
    private var repaints: Bool { terminal.isOutputTerminal && (printer.format == .table || printer.format == .wide) }

    private func repaint(through invoker: any OperationInvoker) async -> Ending {
        var away: Duration = .zero
        var last: ResultEnvelope?
        while !Task.isCancelled {
            do throws(BastionError) {
                let envelope = try ResultEnvelope(parsing: try await invoker.invoke(call))
                guard !Task.isCancelled else { break }
                show(envelope, isFirst: last == nil)
                away = .zero
                last = envelope
            } catch {
                away += max(interval, .milliseconds(100))
                if away >= call.timeout { return .failed(error) }
            }
            await terminal.pause(interval)
        }
        return .stopped(last: last)
    }

    private func show(_ envelope: ResultEnvelope, isFirst: Bool) {
        if repaints {
            terminal.write(Self.clearScreen)
        } else if !isFirst, printer.format != .jsonl, printer.format != .yaml {
            terminal.say("")
        }
        var printer = printer
        printer.isSnapshot = true
        printer.output.columns = printer.output.columns == nil ? nil : terminal.size()?.columns
        _ = printer.show(envelope, as: .operation(operation))
    }
}
