/// What happened, for people: kept only when somebody will read it.
package final class SimStory {
    package let isTold: Bool
    private var lines: [String] = []
    /// Limit: older lines are dropped.
    private static let limit = 4000

    init(isTold: Bool) { self.isTold = isTold }

    func tell(_ now: Int64, _ line: @autoclosure () -> String) {
        guard isTold else { return }
        lines.append("\(SimStory.clock(now)) \(line())")
        if lines.count > SimStory.limit * 2 { lines.removeFirst(SimStory.limit) }
    }

    package func last(_ count: Int) -> [String] { lines.suffix(count) }

    private static func clock(_ now: Int64) -> String {
        let text = "\(now / 1_000_000)"
        return String(repeating: " ", count: max(0, 6 - text.count)) + text + "ms"
    }
}
