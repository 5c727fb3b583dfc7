import ClusterModel

/// The world around one run of a command: streams, clock, chance, interruption. Tests give their own.
package struct Terminal: Sendable {
    package struct Size: Sendable, Equatable {
        package var columns: Int
        package var rows: Int
        package init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// Standard output: data.
    package var write: @Sendable (String) -> Void
    /// Standard error: progress, notes, warnings, errors.
    package var writeError: @Sendable (String) -> Void
    /// One line of standard input without its newline; nil at its end.
    package var readLine: @Sendable () -> String?
    package var isInputTerminal: Bool
    package var isOutputTerminal: Bool
    package var isErrorTerminal: Bool
    /// The size of the window behind standard output at present; nil when there is none.
    package var size: @Sendable () -> Size?
    /// The present time, RFC 3339 in UTC.
    package var timestamp: @Sendable () -> String
    /// A fresh random identifier of 16 hexadecimal digits.
    package var randomID: @Sendable () -> String
    package var pause: @Sendable (Duration) async -> Void
    /// Returns at the first Ctrl-C or SIGTERM, or when its task is cancelled.
    package var interruption: @Sendable () async -> Void
    /// Whether the interruption was SIGTERM (exit 143) and not Ctrl-C (exit 130).
    package var isTerminated: @Sendable () -> Bool
    /// Shows a long text in the given pager; false when it could not.
    package var page: @Sendable (_ text: String, _ pager: String) -> Bool

    package init(
        write: @escaping @Sendable (String) -> Void, writeError: @escaping @Sendable (String) -> Void,
        readLine: @escaping @Sendable () -> String?, isInputTerminal: Bool, isOutputTerminal: Bool,
        isErrorTerminal: Bool = false, size: @escaping @Sendable () -> Size? = { nil },
        timestamp: @escaping @Sendable () -> String, randomID: @escaping @Sendable () -> String,
        pause: @escaping @Sendable (Duration) async -> Void, interruption: @escaping @Sendable () async -> Void,
        isTerminated: @escaping @Sendable () -> Bool = { false },
        page: @escaping @Sendable (String, String) -> Bool = { _, _ in false }
    ) {
        self.write = write
        self.writeError = writeError
        self.readLine = readLine
        self.isInputTerminal = isInputTerminal
        self.isOutputTerminal = isOutputTerminal
        self.isErrorTerminal = isErrorTerminal
        self.size = size
        self.timestamp = timestamp
        self.randomID = randomID
        self.pause = pause
        self.interruption = interruption
        self.isTerminated = isTerminated
        self.page = page
    }

    package func say(_ text: String) { write(text + "\n") }
    package func note(_ text: String) { writeError(text + "\n") }

    /// What a run that a signal ended ends with.
    package func interrupted(_ message: String, hint: String? = nil, operationID: String? = nil) -> BastionError {
        BastionError(isTerminated() ? .terminated : .interrupted, message, hint: hint, operationID: operationID)
    }
}
