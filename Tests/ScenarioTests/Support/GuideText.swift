import FoundationEssentials
import Glibc

/// The bash blocks of the operations guide, per section, as `Guide/` keeps them word for word.
enum GuideText {
    /// Section title -> its blocks in order. Files are `Guide/01-cluster-bootstrap.txt` and so on.
    static let sections: [String: [String]] = Dictionary(
        uniqueKeysWithValues: files.map { title, name in (title, blocks(Shell.text(folder + "/" + name))) })

    static let files = [
        "Cluster Bootstrap": "01-cluster-bootstrap.txt", "Adding a Node": "02-adding-a-node.txt",
        "Removing a Node": "03-removing-a-node.txt", "Manual Failover": "04-manual-failover.txt",
        "Graceful Switchover": "05-graceful-switchover.txt", "Pausing Auto-Failover": "06-pausing-auto-failover.txt",
    ]
    static let folder = PackageTree.root + "/Tests/ScenarioTests/Guide"
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
