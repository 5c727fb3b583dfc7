import Operations

/// How the results and notes of one run are printed.
struct OutputSettings: Sendable {
    var format = OutputFormat.table
    var isQuiet = false
    var isVerbose = false
    /// Colours in tables on standard output, and in the words `error` and `warning` on standard error.
    var usesColor = false
    var usesErrorColor = false
    /// Tables are made to fit; nil: never cut.
    var columns: Int?

    init() {}

    /// - Parameter fallback: The format of the context, below option and environment (`cli.md` section 13).
    init(
        _ arguments: ParsedArguments, environment: [String: String], terminal: Terminal, fallback: String? = nil
    ) {
        format = OutputFormat(rawValue: arguments.text("output") ?? fallback ?? "") ?? .table
        isQuiet = arguments.flag("quiet")
        isVerbose = arguments.flag("verbose")
        usesColor = Self.usesColor(arguments, environment, isTerminal: terminal.isOutputTerminal)
        usesErrorColor = Self.usesColor(arguments, environment, isTerminal: terminal.isErrorTerminal)
        columns = terminal.isOutputTerminal ? terminal.size()?.columns : nil
    }

    /// Option, then `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`, then whether somebody sees it.
    private static func usesColor(
        _ arguments: ParsedArguments, _ environment: [String: String], isTerminal: Bool
    ) -> Bool {
        if arguments.flag("no_color") { return false }
        switch arguments.text("color") {
        case "always": return true
        case "never": return false
        default: break
        }
        if environment["NO_COLOR"].map({ !$0.isEmpty }) == true { return false }
        if environment["CLICOLOR_FORCE"].map({ !$0.isEmpty && $0 != "0" }) == true { return true }
        return isTerminal && environment["TERM"] != "dumb"
    }
}
