import ClusterModel
import FoundationEssentials
import Operations
import Testing

/// D69: every rule that a decision may name has a line in the table, and the table is the documentation's.
@Suite struct RuleTableTests {
    private static let package: String = {
        let parts = "\(#filePath)".split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    @Test func `the table knows every rule of the protocol, once`() {
        let ids = RuleTable.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        let families: [(String, Int)] = [
            ("PR", 8), ("AS", 6), ("RA", 21), ("ST", 11), ("CS", 8), ("LE", 12), ("GU", 5), ("DE", 11), ("SE", 11), ("SW", 6),
            ("AG", 23), ("PX", 10), ("VI", 4), ("D", 69),
        ]
        for (prefix, count) in families {
            for number in 1...count { #expect(RuleTable.rule("\(prefix)\(number)") != nil, "\(prefix)\(number)") }
        }
        #expect(RuleTable.all.allSatisfy { !$0.text.isEmpty && !$0.text.hasSuffix(".") })
    }

    @Test func `every rule and check that the decisions name is in the table`() throws {
        var missing: Set<String> = []
        for folder in ["FailoverCore", "NodeCore"] {
            for text in try sources(below: "\(Self.package)/Sources/\(folder)") {
                for id in RuleMention.ids(in: text) where RuleTable.rule(id) == nil { missing.insert(id) }
            }
        }
        #expect(missing.isEmpty, "\(missing.sorted())")
    }

    private func sources(below directory: String) throws -> [String] {
        var texts: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let path = directory + "/" + name
            if name.hasSuffix(".swift") {
                texts.append(String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self))
            } else {
                texts += try sources(below: path)
            }
        }
        return texts
    }

    @Test func `docs explain.md shows the table as it is`() throws {
        // In a trial package the sources may be copies without documentation.
        let file = URL(filePath: "\(Self.package)/docs/explain.md")
        guard FileManager.default.fileExists(atPath: "\(Self.package)/docs/explain.md") else { return }
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        let (begin, end) = ("<!-- rules: begin -->\n", "<!-- rules: end -->")
        let first = try #require(text.firstRange(of: begin))
        let last = try #require(text.firstRange(of: end))
        let rows = RuleTable.all.map { "| \($0.id) | \($0.text) |\n" }.joined()
        let table = "\n| Rule | Meaning |\n|---|---|\n\(rows)\n"
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            let new = text[..<first.upperBound] + table + text[last.lowerBound...]
            try Data(new.utf8).write(to: file)
        } else {
            #expect(text[first.upperBound..<last.lowerBound] == table[...])
        }
    }
}
