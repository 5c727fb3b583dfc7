import FoundationEssentials

enum PackageTree {
    /// The package's directory, seen from this file.
    static let root = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
}

/// One bash block of the operations guide.
struct GuideBlock: Sendable, Hashable {
    /// Title of the section and, where there is one, of the subsection.
    var section: String
    /// Counts from 1 within the section.
    var number: Int
    /// The line of the guide on which it begins.
    var line: Int
    var text: String

    /// Its parts: each begins with a comment `# N. …`, indented or not; what stands before the first is part 0.
    /// A block without such comments is part 0 alone.
    var steps: [Int: String] {
        var steps: [Int: String] = [:]
        var current = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let number = GuideBlock.stepNumber(line), number > current { current = number }
            steps[current, default: ""] += line + "\n"
        }
        // A part of comments and empty lines has nothing to run.
        return steps.filter { _, text in
            text.split(separator: "\n").contains { !$0.drop(while: \.isWhitespace).hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
        }
    }

    private static func stepNumber(_ line: Substring) -> Int? {
        guard line.hasPrefix("# ") else { return nil }
        let digits = line.dropFirst(2).prefix { $0.isNumber }
        guard !digits.isEmpty, line.dropFirst(2 + digits.count).hasPrefix(".") else { return nil }
        return Int(digits)
    }
}

/// The operations guide: the copy beside these tests, which equals the original where that is present.
enum GuideText {
    static let folder = PackageTree.root + "/Tests/GuideTests"
    static let machineFolder = folder + "/Machine"
    static let copy = Command.text(folder + "/operations-guide.md")
    static let original = Command.text(PackageTree.root + "/../shared/operations-guide.md")

    /// Every bash block, in the guide's order.
    static let blocks: [GuideBlock] = {
        var blocks: [GuideBlock] = []
        var counts: [String: Int] = [:]
        var (chapter, section) = ("", "")
        var open: (line: Int, lines: [Substring])?
        for (index, line) in copy.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "```", let done = open {
                let title = section.isEmpty ? chapter : "\(chapter) / \(section)"
                counts[title, default: 0] += 1
                blocks.append(
                    GuideBlock(section: title, number: counts[title, default: 0], line: done.line, text: done.lines.joined(separator: "\n"))
                )
                open = nil
            } else if open != nil {
                open?.lines.append(line)
            } else if line == "```bash" {
                open = (index + 1, [])
            } else if line.hasPrefix("## ") {
                (chapter, section) = (String(line.dropFirst(3)), "")
            } else if line.hasPrefix("### ") || line.hasPrefix("#### ") {
                section = String(line.drop { $0 == "#" }.dropFirst())
            }
        }
        return blocks
    }()

    static func block(_ section: String, _ number: Int) throws -> GuideBlock {
        guard let block = blocks.first(where: { $0.section == section && $0.number == number }) else {
            throw GuideFailure("the guide has no block \(number) in \"\(section)\"")
        }
        return block
    }
}
