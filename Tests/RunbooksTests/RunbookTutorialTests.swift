import ClusterModel
import Operations
import Runbooks
import Testing

/// `docs/runbooks.md` is followed step by step: its files are read as written.
@Suite struct RunbookTutorialTests {
    private let blocks: [String]

    init() throws {
        let page = String(decoding: try ShippedRunbooks.bytes("\(ShippedRunbooks.directory)/../docs/runbooks.md"), as: UTF8.self)
        blocks = Self.blocks(of: "yaml", in: page)
    }

    private static func blocks(of language: String, in page: String) -> [String] {
        var found: [String] = []
        var open: [Substring]?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```\(language)" {
                open = []
            } else if line == "```" {
                if let lines = open { found.append(lines.joined(separator: "\n") + "\n") }
                open = nil
            } else {
                open?.append(line)
            }
        }
        return found
    }

    private func lint(_ text: String) throws -> [RunbookDiagnostic] {
        let guide = try ShippedRunbooks.bytes("\(ShippedRunbooks.directory)/../Tests/GuideTests/operations-guide.md")
        let environment = LintEnvironment(anchors: LintEnvironment.anchors(inMarkdown: String(decoding: guide, as: UTF8.self)))
        return RunbookLint.check(ShippedRunbooks.reading(Array(text.utf8)), file: "site/patch-replica.yaml", in: environment).diagnostics
    }

    @Test func `the page shows a first draft, a runbook and its tests`() { #expect(blocks.count == 3) }

    @Test func `lint finds in the first draft what the page says`() throws {
        let findings = try lint(try #require(blocks.first))
        #expect(Set(findings.map(\.rule.rawValue)) == ["RB021", "RB032", "RB036", "RB040"])
        let misspelled = try #require(findings.first { $0.rule == .unknownPath })
        #expect(misspelled.help == "did you mean 'streaming'?")
    }

    @Test func `lint finds nothing in the whole file`() throws {
        let findings = try lint(blocks[1])
        #expect(findings.isEmpty, "\(findings.map { "\($0.at.start) \($0.rule.rawValue) \($0.message)" })")
    }

    @Test func `the tests of the page pass`() async throws {
        let loaded = try ShippedRunbooks.load(Array(blocks[1].utf8), file: "site/patch-replica.yaml")
        let text = Array(blocks[2].utf8)
        let (file, findings) = TestFileReader.read(ShippedRunbooks.reading(text), file: "site/tests/patch-replica.test.yaml")
        #expect(findings.isEmpty)
        let reports = await ShippedRunbooks.runner([loaded.name: loaded]).run(try #require(file))
        for report in reports { #expect(report.outcome == .passed, "\(report.text)") }
        #expect(reports.count == 4)
    }

    @Test func `the plans of the page end as it says`() async throws {
        let loaded = try ShippedRunbooks.load(Array(blocks[1].utf8), file: "site/patch-replica.yaml")
        for (state, exit) in [(BuiltinState.healthy, Int32(0)), (.lagging, 0), (.primaryDown, 3)] {
            let document = try state.document()
            let params = try ParameterValues.resolve(loaded.runbook, given: ["node": .string("node3")], state: document)
            let order = RunOrder(runID: "", main: loaded, library: [loaded.name: loaded], params: params, user: "", host: "")
            let plan = try await RunPlan.make(order, state: document)
            #expect(plan.exitStatus == exit, "\(state.rawValue)")
        }
    }
}
