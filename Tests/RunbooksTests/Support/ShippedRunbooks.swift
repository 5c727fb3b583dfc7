import ClusterModel
import ConfigFiles
import FoundationEssentials
import Operations
import Runbooks

/// The runbooks of the source tree, their tests and fixtures.
enum ShippedRunbooks {
    /// `runbooks/` of the source tree.
    static let directory: String = {
        let parts = #filePath.split(separator: "/")
        return "/" + parts.dropLast(4).joined(separator: "/") + "/runbooks"
    }()

    static func files(_ folder: String, suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }.sorted()
    }

    static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

    static func reading(_ bytes: [UInt8]) -> YAMLReading { YAMLDocument.read(bytes, limits: YAMLLimits(bytes: 256 * 1024)) }

    /// A runbook from a text; every finding of its form is an error.
    static func load(_ bytes: [UInt8], file: String) throws -> LoadedRunbook {
        let (runbook, findings) = RunbookReader.read(reading(bytes), file: file)
        if let first = findings.first(where: { $0.severity == .error }) {
            throw BastionError(
                .invalidData, "\(file):\(first.at.start.line):\(first.at.start.column): \(first.rule.rawValue) \(first.message)")
        }
        guard let runbook else { throw BastionError(.invalidData, "\(file) is no runbook") }
        return LoadedRunbook(runbook: runbook, sha256: SHA256.hex(bytes))
    }

    static func load(_ text: String) throws -> LoadedRunbook { try load(Array(text.utf8), file: "test.yaml") }

    /// Every shipped runbook by name.
    static func library() throws -> [String: LoadedRunbook] {
        var library: [String: LoadedRunbook] = [:]
        for file in try files(directory, suffix: ".yaml") {
            let loaded = try load(try bytes("\(directory)/\(file)"), file: file)
            library[loaded.name] = loaded
        }
        return library
    }

    static func tests() throws -> [TestFile] {
        try files(directory + "/tests", suffix: ".test.yaml").map { file in
            let (found, findings) = TestFileReader.read(reading(try bytes("\(directory)/tests/\(file)")), file: "runbooks/tests/\(file)")
            if let first = findings.first(where: { $0.severity == .error }) {
                throw BastionError(
                    .invalidData, "\(file):\(first.at.start.line):\(first.at.start.column): \(first.rule.rawValue) \(first.message)")
            }
            guard let found else { throw BastionError(.invalidData, "\(file) is no test file") }
            return found
        }
    }

    static func runner(_ library: [String: LoadedRunbook]) -> TestRunner {
        TestRunner(library: library) { name throws(BastionError) in
            do {
                return try JSONParser.parse(try bytes("\(directory)/\(name)"))
            } catch let error as BastionError {
                throw error
            } catch {
                throw BastionError(.notFound, "fixture \"\(name)\" cannot be read")
            }
        }
    }
}
