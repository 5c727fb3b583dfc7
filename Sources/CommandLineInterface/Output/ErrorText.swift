import ClusterModel

/// The lines an error is told with on standard error (`cli.md` section 6.1).
enum ErrorText {
    /// Without a trailing newline.
    static func lines(_ error: BastionError, exitStatus: Int32, requestID: String?, usesColor: Bool = false) -> String {
        var lines = ["\(word("error", .bad, usesColor)): \(error.message)"]
        let detail = error.detail ?? error.checks.map(describe).joined(separator: "\n")
        lines += detail.split(separator: "\n").map { "detail: \($0)" }
        lines += (error.hint ?? "").split(separator: "\n").map { "hint: \($0)" }
        let request = requestID.map { ", request \($0)" } ?? ""
        lines.append("code: \(error.code.rawValue) (exit \(exitStatus)\(request))")
        return lines.map { "pgbastion: " + $0 }.joined(separator: "\n")
    }

    static func warning(_ text: String, usesColor: Bool = false) -> String {
        "pgbastion: \(word("warning", .doubtful, usesColor)): \(text)"
    }

    private static func word(_ text: String, _ color: StateColor, _ usesColor: Bool) -> String {
        usesColor ? color.around(text) : text
    }

    private static func describe(_ check: FailedCheck) -> String {
        var text = "check \(check.id)"
        if let path = check.path { text += ": \(path)" }
        if let actual = check.actual { text += " is \(actual)" }
        if let expected = check.expected { text += ", must be \(expected)" }
        return text
    }
}
