import FoundationEssentials
import Glibc

/// The files of the package, read once.
struct SourceTree {
    /// Everything below `Sources` and `Tests` that ends in `.swift`, sorted by path.
    let swiftFiles: [SourceFile]
    /// Other texts people read or run: documentation, packaging, Makefile.
    let otherFiles: [SourceFile]
    let root: String

    static let shared = SourceTree()

    private init() {
        // Tests/TidyTests/SourceTree.swift is three levels below the root. Sources may be a link in a trial package.
        let package = String("\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/"))
        let sources = SourceTree.realPath("/" + package + "/Sources")
        root = String(sources.dropLast("/Sources".count))
        let base = root
        swiftFiles = ["Sources", "Tests"].flatMap { SourceTree.files(under: $0, root: base) }
            .filter { $0.hasSuffix(".swift") }
            .compactMap { SourceFile(path: $0, root: base) }
        let places = ["docs", "packaging", "completions", "runbooks", ".ci", "Benchmarks"]
        let single = ["Makefile", "README.md", "CHANGELOG.md", "Package.swift"]
        otherFiles = (places.flatMap { SourceTree.files(under: $0, root: base) } + single)
            .filter { !$0.contains("/.build/") && !$0.hasSuffix(".png") }
            .compactMap { SourceFile(path: $0, root: base) }
    }

    func file(_ path: String) -> SourceFile? { (swiftFiles + otherFiles).first { $0.path == path } }
    func exists(_ path: String) -> Bool { access(root + "/" + path, F_OK) == 0 }

    private static func files(under folder: String, root: String) -> [String] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: root + "/" + folder, isDirectory: &isDirectory) else { return [] }
        guard isDirectory else { return [folder] }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder).sorted()
            return names.flatMap { files(under: folder + "/" + $0, root: root) }
        } catch {
            return []
        }
    }

    private static func realPath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// One file: its lines as written, and for Swift the same lines without comments and texts.
struct SourceFile {
    /// Relative to the root of the package.
    let path: String
    let lines: [String]
    /// As many as `lines`; comments, string literals and names in backticks are blanks.
    let code: [String]

    init?(path: String, root: String) {
        guard let bytes = FileManager.default.contents(atPath: root + "/" + path) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = path.hasSuffix(".swift") ? SwiftCode.withoutTexts(text) : lines
    }

    /// `Sources/NodeCore/X.swift` belongs to `NodeCore`; nil outside `Sources`.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
    var isTest: Bool { path.hasPrefix("Tests/") }
    /// These files hold the forbidden words as data.
    var isTidyTest: Bool { path.hasPrefix("Tests/TidyTests/") }
    /// A text that ends with a line end has no last empty line.
    var lineCount: Int { lines.last?.isEmpty == true ? lines.count - 1 : lines.count }
}
