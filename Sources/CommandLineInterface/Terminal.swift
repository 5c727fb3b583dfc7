/// The world around one run of a command: streams, clock, chance, interruption. Tests give their own.
package struct Terminal: Sendable {
    /// Standard output: data.
    package var write: @Sendable (String) -> Void
    /// Standard error: progress, notes, warnings, errors.
    package var writeError: @Sendable (String) -> Void
    /// One line of standard input without its newline; nil at its end.
    package var readLine: @Sendable () -> String?
    package var isInputTerminal: Bool
    package var isOutputTerminal: Bool
    /// The present time, RFC 3339 in UTC.
    package var timestamp: @Sendable () -> String
    /// A fresh random identifier of 16 hexadecimal digits.
    package var randomID: @Sendable () -> String
    package var pause: @Sendable (Duration) async -> Void
    /// Returns at the first Ctrl-C, or when its task is cancelled.
    package var interruption: @Sendable () async -> Void

    package init(
        write: @escaping @Sendable (String) -> Void, writeError: @escaping @Sendable (String) -> Void,
        readLine: @escaping @Sendable () -> String?, isInputTerminal: Bool, isOutputTerminal: Bool,
        timestamp: @escaping @Sendable () -> String, randomID: @escaping @Sendable () -> String,
        pause: @escaping @Sendable (Duration) async -> Void, interruption: @escaping @Sendable () async -> Void
    ) {
        self.write = write
        self.writeError = writeError
        self.readLine = readLine
        self.isInputTerminal = isInputTerminal
        self.isOutputTerminal = isOutputTerminal
        self.timestamp = timestamp
        self.randomID = randomID
        self.pause = pause
        self.interruption = interruption
    }

    package func say(_ text: String) { write(text + "\n") }
    package func note(_ text: String) { writeError(text + "\n") }
}
