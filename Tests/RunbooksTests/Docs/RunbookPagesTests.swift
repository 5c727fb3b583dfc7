import ClusterModel
import FoundationEssentials
import Testing

@testable import Runbooks

/// The pages of the shipped runbooks in `docs/reference/runbooks/`; `RECORD=1` writes them anew.
struct RunbookPagesTests {
    private static let folder = ShippedRunbooks.directory.dropLast("runbooks".count) + "docs/reference/runbooks"

    @Test func `the pages in the repository are what runbook docs prints`() throws {
        let library = try ShippedRunbooks.library()
        let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"
        if isRecording { try FileManager.default.createDirectory(atPath: String(Self.folder), withIntermediateDirectories: true) }
        for (name, loaded) in library.sorted(by: { $0.key < $1.key }) {
            let path = URL(filePath: "\(Self.folder)/\(name).md")
            let page = RunbookMarkdown.page(loaded.runbook)
            if isRecording { try Data(page.utf8).write(to: path) }
            let found = FileManager.default.contents(atPath: path.path).map { String(decoding: $0, as: UTF8.self) }
            #expect(found == page, "\(name).md is out of date; run with RECORD=1")
        }
        let pages = try FileManager.default.contentsOfDirectory(atPath: String(Self.folder)).filter { $0.hasSuffix(".md") }
        #expect(Set(pages) == Set(library.keys.map { "\($0).md" }))
    }

    @Test func `a page names risk, parameters, checks and steps`() throws {
        let runbook = try #require(try ShippedRunbooks.library()["primary-data-corruption"]?.runbook)
        let page = RunbookMarkdown.page(runbook)
        for part in [
            "| Risk | destructive |", "| `max_lag` | bytes | `10MiB` |", "(can be overridden)", "Point of no return.", "## In every case",
        ] {
            #expect(page.contains(part), "\(part)")
        }
    }
}
