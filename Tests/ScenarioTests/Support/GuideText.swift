import FoundationEssentials
import Glibc

/// The bash blocks of the operations guide, per section, from the copy that the tests of the whole guide run.
enum GuideText {
    /// Section title -> its blocks in order.
    static let sections: [String: [String]] = {
        let guide = Shell.text(PackageTree.root + "/Tests/GuideTests/operations-guide.md")
        return Dictionary(uniqueKeysWithValues: titles.map { ($0, blocks(section($0, of: guide))) })
    }()

    static let titles = [
        "Adding a Node", "Cluster Bootstrap", "Graceful Switchover", "Manual Failover", "Pausing Auto-Failover", "Removing a Node",
    ]
    /// The guide itself, where it lies beside the repository.
    static let original = Shell.text(PackageTree.root + "/../shared/operations-guide.md")

    /// The text between the heading of a section and the next heading of that level.
    static func section(_ title: String, of guide: String) -> String {
        var isInside = false
        var lines: [Substring] = []
        for line in guide.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { isInside = line == "## \(title)" }
            if isInside { lines.append(line) }
        }
        return lines.joined(separator: "\n")
    }

    static func blocks(_ text: String) -> [String] {
        var blocks: [String] = []
        var present: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```bash" {
                present = []
            } else if line == "```", let lines = present {
                blocks.append(lines.joined(separator: "\n"))
                present = nil
            } else {
                present?.append(line)
            }
        }
        return blocks
    }

    /// The commands of a section that the test runs: each `curl` and each `pgbastion` line with its continuation lines.
    ///
    /// Of `watch -n1 'COMMAND'` it is COMMAND: what is watched, once.
    static func commands(_ title: String) throws -> [String] {
        guard let blocks = sections[title], !blocks.isEmpty else { throw ScenarioFailure("the guide has no section \(title)") }
        var commands: [String] = []
        for block in blocks {
            var open = ""
            for line in block.split(separator: "\n") {
                let begins = line.hasPrefix("curl ") || line.hasPrefix("pgbastion ") || line.hasPrefix("watch ")
                guard begins || !open.isEmpty else { continue }
                open += line + "\n"
                guard line.last != "\\" else { continue }
                commands.append(unwatched(open.trimmed))
                open = ""
            }
        }
        return commands
    }

    private static func unwatched(_ command: String) -> String {
        guard command.hasPrefix("watch "), let first = command.firstIndex(of: "'"), let last = command.lastIndex(of: "'")
        else { return command }
        return String(command[command.index(after: first)..<last])
    }
}
