import FoundationEssentials
import Operations
import Testing

@testable import CommandLineInterface

/// Every call of `pgbastion` in a fenced block of the documentation is one the program takes.
@Suite struct DocumentationTests {
    private static let pages = ["README.md"] + Golden.pages(below: "docs")

    @Test(arguments: pages)
    func `every fenced command of the documentation is parsed`(page: String) {
        for (number, line) in Self.fencedLines(of: Golden.text(repositoryFile: page)) {
            for arguments in ShellLine.commands(line) {
                let complaint = ShellLine.complaint(arguments, ContractTests.tree)
                #expect(complaint == nil, "\(page):\(number): \(line)\n\(complaint ?? "")")
            }
        }
    }

    @Test func `there are commands to parse`() {
        let lines = Self.pages.flatMap { Self.fencedLines(of: Golden.text(repositoryFile: $0)) }
        #expect(lines.flatMap { ShellLine.commands($0.line) }.count > 20)
    }

    @Test func `commands are found behind sudo, variables and pipes`() {
        #expect(ShellLine.commands("$ sudo pgbastion status | grep x") == [["status"]])
        #expect(ShellLine.commands("A=b pgbastion wait 'lag<=10MiB,node=n' > /tmp/x") == [["wait", "lag<=10MiB,node=n"]])
        #expect(ShellLine.commands("pgbastion pause && pgbastion resume # later") == [["pause"], ["resume"]])
        #expect(ShellLine.commands("systemctl stop pgbastion") == [])
    }

    /// Lines of fenced blocks with their numbers; blocks marked as text show forms and output, not commands.
    private static func fencedLines(of page: String) -> [(number: Int, line: String)] {
        var lines: [(number: Int, line: String)] = []
        var fence: String?
        for (index, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                fence = fence == nil ? String(line.drop { $0 == " " }.dropFirst(3)) : nil
            } else if let fence, !["text", "yaml", "json", "swift", "ini", "sql"].contains(fence) {
                if let last = lines.last, last.line.hasSuffix("\\"), last.number == index {
                    lines[lines.count - 1] = (index + 1, last.line.dropLast() + " " + line)
                } else {
                    lines.append((index + 1, String(line)))
                }
            }
        }
        return lines
    }
}
