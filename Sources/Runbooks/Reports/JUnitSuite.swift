import ClusterModel
import Operations

/// One test suite in the XML that CI systems read.
struct JUnitSuite {
    var name: String
    var cases: [JUnitCase]

    var text: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n\(element)</testsuites>\n" }

    var element: String {
        let failures = cases.count { $0.failure != nil }
        let skipped = cases.count { $0.isSkipped }
        let head =
            "  <testsuite name=\"\(XMLText.escaped(name))\" tests=\"\(cases.count)\" failures=\"\(failures)\" skipped=\"\(skipped)\">\n"
        return head + cases.map(\.element).joined() + "  </testsuite>\n"
    }
}

/// A precondition, a step, a postcondition or a scenario case.
struct JUnitCase {
    var className: String
    var name: String
    var seconds = 0.0
    var failure: String?
    var isSkipped = false
    var output: String?

    init(className: String, name: String, seconds: Double = 0, failure: String? = nil, isSkipped: Bool = false, output: String? = nil) {
        self.className = className
        self.name = name
        self.seconds = seconds
        self.failure = failure
        self.isSkipped = isSkipped
        self.output = output
    }

    /// A warning passes, with what it says as output.
    init(_ entry: JudgedEntry, _ kind: String) {
        let isFailure = !entry.isPass && entry.level == "block" && !entry.isOverridden
        self.init(
            className: kind, name: entry.id, failure: isFailure ? entry.message : nil,
            output: entry.isPass || isFailure ? nil : entry.message)
    }

    init(_ step: StepReport) {
        let isFailure = step.outcome == "failed" || step.outcome == "unknown"
        self.init(
            className: step.phase.rawValue, name: step.path + (step.item.map { "[\($0)]" } ?? ""),
            seconds: Double(max(0, step.endedAt - step.startedAt)) / 1000, failure: isFailure ? step.message : nil,
            isSkipped: step.outcome == "skipped", output: isFailure || step.message.isEmpty ? nil : step.message)
    }

    var element: String {
        let head =
            "    <testcase classname=\"\(XMLText.escaped(className))\" name=\"\(XMLText.escaped(name))\" "
            + "time=\"\(DecimalTextOfSeconds.text(seconds))\""
        var inner = ""
        if let failure {
            let first = failure.split(separator: "\n").first.map(String.init) ?? ""
            inner += "      <failure message=\"\(XMLText.escaped(first))\">\(XMLText.escaped(failure))</failure>\n"
        }
        if isSkipped { inner += "      <skipped/>\n" }
        if let output { inner += "      <system-out>\(XMLText.escaped(output))</system-out>\n" }
        return inner.isEmpty ? head + "/>\n" : head + ">\n\(inner)    </testcase>\n"
    }
}

enum XMLText {
    /// For an attribute or the content of an element; control characters, which XML has no form for, become `?`.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F || (0xFFFE...0xFFFF).contains(scalar.value) {
                    result += "?"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}

/// Workflow commands of GitHub's CI.
package enum GitHubLine {
    package static func error(title: String, message: String, file: String? = nil, line: Int? = nil) -> String {
        command("error", title, message, file, line)
    }

    package static func warning(title: String, message: String, file: String? = nil, line: Int? = nil) -> String {
        command("warning", title, message, file, line)
    }

    private static func command(_ kind: String, _ title: String, _ message: String, _ file: String?, _ line: Int?) -> String {
        var properties: [String] = []
        if let file { properties.append("file=\(property(file))") }
        if let line { properties.append("line=\(line)") }
        properties.append("title=\(property(title))")
        return "::\(kind) \(properties.joined(separator: ","))::\(data(message))"
    }

    private static func data(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    private static func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}
