import CommandLineInterface
import Synchronization

/// A terminal in memory: what was printed, and the lines somebody types.
final class FakeTerminal: Sendable {
    struct Printed: Sendable {
        var output = ""
        var errors = ""
        var typed: [String] = []
        var pauses = 0
    }
    private let printed: Mutex<Printed>
    private let isInteractive: Bool
    private let isInterruptedAtOnce: Bool
    private let pausesBeforeInterrupt: Int?
    /// A window of this width; nil: no window.
    private let columns: Int?
    private let isTerminated: Bool
    /// Nothing comes too late here: a pause ends only when nobody waits for it any longer.
    private let isPatient: Bool

    init(
        typed: [String] = [], isInteractive: Bool = false, isInterruptedAtOnce: Bool = false,
        pausesBeforeInterrupt: Int? = nil, columns: Int? = nil, isTerminated: Bool = false,
        isPatient: Bool = false
    ) {
        self.columns = columns
        self.isPatient = isPatient
        self.isTerminated = isTerminated
        printed = Mutex(Printed(typed: typed))
        self.isInteractive = isInteractive
        self.isInterruptedAtOnce = isInterruptedAtOnce
        self.pausesBeforeInterrupt = pausesBeforeInterrupt
    }

    var output: String { printed.withLock(\.output) }
    var errors: String { printed.withLock(\.errors) }

    var terminal: Terminal {
        Terminal(
            write: { text in self.printed.withLock { $0.output += text } },
            writeError: { text in self.printed.withLock { $0.errors += text } },
            readLine: { self.printed.withLock { $0.typed.isEmpty ? nil : $0.typed.removeFirst() } },
            isInputTerminal: isInteractive, isOutputTerminal: columns != nil, isErrorTerminal: columns != nil,
            size: { self.columns.map { Terminal.Size(columns: $0, rows: 40) } }, timestamp: { "2026-02-17T02:00:00Z" },
            randomID: { "00000000000000aa" }, pause: { _ in await self.pause() },
            interruption: { await self.interruption() }, isTerminated: { self.isTerminated })
    }

    private func pause() async {
        printed.withLock { $0.pauses += 1 }
        repeat { await Task.yield() } while isPatient && !Task.isCancelled
    }

    private func interruption() async {
        if isInterruptedAtOnce { return }
        while !Task.isCancelled {
            if let limit = pausesBeforeInterrupt, printed.withLock(\.pauses) >= limit { return }
            await Task.yield()
        }
    }
}
