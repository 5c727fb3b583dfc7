import FoundationEssentials
import Testing

@testable import ConfigFiles

/// `docs/configuration.md` and the program know the same keys.
@Suite struct ConfigurationReferenceTests {
    /// The first cell of each row that holds a key, with the rest of the row.
    private func documentedRows() throws -> [(key: String, row: String)] {
        let text = try #require(documentation())
        return text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("| `"), let key = line.split(separator: "`").dropFirst().first else { return nil }
            return (String(key), String(line))
        }
    }

    private func documentation() -> String? {
        let package = "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        // Tests may be a link in a trial package: the documentation then is beside what the link leads to.
        let places = [package + "/docs", package + "/Tests/../docs"]
        let contents = places.lazy.compactMap { FileManager.default.contents(atPath: $0 + "/configuration.md") }
        return contents.first.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `every key is documented once, and every documented key exists`() throws {
        let documented = try documentedRows().map(\.key)
        #expect(documented.sorted() == ConfigurationFile.knownKeys.sorted())
    }

    @Test func `documented defaults are the real ones`() throws {
        let text = GuideExamples.minimal + "postgresql: {}\nstandby_cluster: {host: a}"
        let configuration = try loaded(text).configuration
        let defaults = Dictionary(configuration.entries.map { ($0.key, $0.value) }) { first, _ in first }
        for (key, row) in try documentedRows() {
            guard let value = defaults[key], let cell = row.split(separator: "|").dropFirst().first else { continue }
            let written = cell.split(separator: "`")
            guard written.count == 3, written[0] == " ", !written[1].hasPrefix("<") else { continue }
            #expect(written[1].lowercased() == value.lowercased(), "\(key)")
        }
    }

    @Test func `documented reloads are the real ones`() throws {
        for (key, row) in try documentedRows() {
            let cells = row.split(separator: "|").map { $0.filter { $0 != " " } }
            guard cells.count == 4, cells[2] == "yes" || cells[2] == "no" else { continue }
            #expect(ConfigurationChanges.isReloadable(key) == (cells[2] == "yes"), "\(key)")
        }
    }
}
