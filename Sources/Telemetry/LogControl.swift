import ClusterModel
import Logging
import Synchronization

/// The settings of all log lines of a process, changeable while it runs (`log.level`, `log.format`).
package final class LogControl: Sendable {
    package let node: NodeName?
    /// The newest lines, where somebody may ask for them.
    package let ring: LogRing?
    private let output: any LogOutput
    private let levelNumber: Atomic<Int>
    private let shared: Mutex<Shared>
    private let wallTime: @Sendable () -> WallTime
    private let start = ContinuousClock.now

    private struct Shared {
        var format: LogLine.Format
        var repeats = RepeatFilter()
    }

    /// - Parameters:
    ///   - node: Added to every line that names no other node.
    ///   - wallTime: The time printed in the lines.
    package init(
        node: NodeName?, level: LogLine.Level = .info, format: LogLine.Format = .text, output: any LogOutput,
        ring: LogRing? = nil, wallTime: @escaping @Sendable () -> WallTime = { WallTime.now() }
    ) {
        self.node = node
        self.output = output
        self.ring = ring
        self.wallTime = wallTime
        levelNumber = Atomic(LogControl.number(level))
        shared = Mutex(Shared(format: format))
    }

    /// The output for this process: the journal when systemd connected standard error with it, else standard error.
    package static func output(journalStream: String?) -> any LogOutput {
        guard JournalOutput.isStandardErrorTheJournal(journalStream), let journal = JournalOutput() else {
            return StandardErrorOutput()
        }
        return journal
    }

    package var level: LogLine.Level {
        get { LogLine.Level.allCases[levelNumber.load(ordering: .relaxed)] }
        set { levelNumber.store(LogControl.number(newValue), ordering: .relaxed) }
    }

    package var format: LogLine.Format {
        get { shared.withLock { $0.format } }
        set { shared.withLock { $0.format = newValue } }
    }

    /// A logger for one part of the program.
    package func logger(_ label: String) -> Logger {
        Logger(label: label, factory: { _ in BastionLogHandler(control: self) })
    }

    /// Writes a line, unless it is below the level or a counted repeat.
    package func write(_ level: LogLine.Level, _ message: String, _ fields: [String: String]) {
        guard LogControl.number(level) >= levelNumber.load(ordering: .relaxed) else { return }
        writeAnyLevel(level, message, fields)
    }

    func writeAnyLevel(_ level: LogLine.Level, _ message: String, _ fields: [String: String]) {
        var fields = fields
        if let node, fields["node"] == nil { fields["node"] = node.rawValue }
        let (verdict, format) = shared.withLock { shared in
            (shared.repeats.judge(message, fields, now: ContinuousClock.now - start), shared.format)
        }
        switch verdict {
        case .suppress: return
        case .write: break
        case .writeCounted(let count): fields["repeated"] = String(count)
        }
        let line = LogLine(time: wallTime(), level: level, message: message, fields: fields)
        ring?.add(line)
        output.write(line, format: format)
    }

    private static func number(_ level: LogLine.Level) -> Int {
        switch level {
        case .debug: 0
        case .info: 1
        case .warn: 2
        case .error: 3
        }
    }
}
