import Glibc

/// What a person reads while the scenarios run: one line per event, with its measured figures.
enum Report {
    static func line(_ text: String) {
        let bytes = Array(("scenario: " + text + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }

    static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let hundredths = seconds * 100 + attoseconds / 10_000_000_000_000_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) s"
    }
}

/// A statement of a scenario that did not hold.
struct ScenarioFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Throws when `condition` is false: a scenario stops at its first broken statement, so that logs show that moment.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    guard condition else { throw ScenarioFailure(what()) }
}
