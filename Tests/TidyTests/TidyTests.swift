import FoundationEssentials
import Testing

/// The source itself: who imports whom, sizes, and what nobody writes. Each failure gives file, line and replacement.
@Suite struct TidyTests {
    private var tree: SourceTree { SourceTree.shared }

    @Test func `the tree is found`() {
        #expect(tree.swiftFiles.count > 20)
        #expect(tree.file("Sources/ClusterModel/BastionError.swift") != nil)
        #expect(tree.file("Makefile") != nil)
    }

    @Test func `every file imports only what its layer may know`() {
        for file in tree.swiftFiles {
            guard let target = file.target else { continue }
            guard let allowed = LayerTable.allowed(in: target) else {
                report(file, 0, "target \"\(target)\" is not in LayerTable", "a decision record and a row in the table")
                continue
            }
            for (number, module) in imports(of: file) where !allowed.contains(module) {
                report(
                    file, number, "\(target) imports \(module)", "one of: \(allowed.sorted().joined(separator: ", "))")
            }
        }
    }

    @Test func `nobody imports Foundation`() {
        for file in tree.swiftFiles {
            for (number, module) in imports(of: file) where module == "Foundation" {
                report(file, number, "imports Foundation", "FoundationEssentials: a smaller binary that starts faster")
            }
        }
    }

    @Test func `only the composition root sees two adapters`() {
        let adapters = Set(LayerTable.layers.filter { $0.value.level == 3 }.keys)
        for (target, layer) in LayerTable.layers where layer.level == 3 || layer.level == 4 {
            #expect(layer.modules.isDisjoint(with: adapters), "\(target) knows another adapter")
        }
    }

    @Test func `files stay short`() {
        for file in tree.swiftFiles where !Exceptions.allows("long file", in: file.path) {
            let limit = file.isTest ? 600 : 400
            guard file.lineCount > limit else { continue }
            report(file, limit, "has \(file.lineCount) lines, more than \(limit)", "two files; look for the seam")
        }
        for file in tree.swiftFiles where file.lineCount > 600 {
            report(file, 600, "has more than 600 lines", "two files; there are no exceptions from this limit")
        }
    }

    @Test(arguments: ForbiddenCall.all.map(\.name))
    func `nobody writes what is forbidden`(name: String) throws {
        let rule = try #require(ForbiddenCall.all.first { $0.name == name })
        let pattern = try Regex(rule.pattern)
        for file in tree.swiftFiles where rule.applies(to: file) && !Exceptions.allows(rule.name, in: file.path) {
            for (index, line) in file.code.enumerated() {
                guard line.contains(pattern), !(name == "print(" && line.contains("func print(")) else { continue }
                report(file, index + 1, "`\(rule.name)`", rule.instead)
            }
        }
    }

    @Test func `every exception is still needed`() throws {
        for entry in Exceptions.list {
            let file = tree.file(entry.path)
            #expect(file != nil, "exception for a missing file: \(entry.path)")
            guard let file, let rule = ForbiddenCall.all.first(where: { $0.name == entry.rule }) else { continue }
            let pattern = try Regex(rule.pattern)
            #expect(file.code.contains { $0.contains(pattern) }, "needless exception: \(entry.rule) in \(entry.path)")
        }
    }

    @Test func `nothing is left for later`() throws {
        let pattern = try Regex(#"\b(TODO|FIXME|XXX)\b"#)
        for file in tree.swiftFiles + tree.otherFiles where !file.isTidyTest {
            for (index, line) in file.lines.enumerated() where line.contains(pattern) {
                report(file, index + 1, "a note for later", "the work itself, or an issue")
            }
        }
    }

    @Test func `no path of one machine is in the tree`() throws {
        let pattern = try Regex(#"(?:^|[^\w.$}/)~-])/(?:work|farm)/|/tmp/dev\b"#)
        for file in tree.swiftFiles + tree.otherFiles where !file.isTidyTest {
            for (index, line) in file.lines.enumerated() where line.contains(pattern) {
                report(file, index + 1, "a path of one machine", "a path relative to the package, or a temporary one")
            }
        }
    }

    @Test func `processes are ended by id, never by name`() throws {
        let pattern = try Regex(#"\b(pkill|killall)\b"#)
        for file in tree.swiftFiles + tree.otherFiles where !file.isTidyTest {
            for (index, line) in file.lines.enumerated() where line.contains(pattern) {
                report(file, index + 1, "ends processes by name", "kill by the id of what was started")
            }
        }
    }

    @Test func `links of the documentation lead somewhere`() throws {
        let pattern = try Regex(#"\]\(([^)#:\s]+)(?:#[^)]*)?\)"#, as: (Substring, Substring).self)
        for file in tree.otherFiles where file.path.hasSuffix(".md") {
            let folder = file.path.split(separator: "/").dropLast().map(String.init)
            for (index, line) in file.lines.enumerated() {
                for match in line.matches(of: pattern) where !tree.exists(resolve(match.output.1, in: folder)) {
                    report(file, index + 1, "links to \(match.output.1), which does not exist", "the right path")
                }
            }
        }
    }

    // MARK: helpers

    private func report(_ file: SourceFile, _ line: Int, _ what: String, _ instead: String) {
        Issue.record("\(file.path):\(line): \(what); instead: \(instead)")
    }

    /// Line number and module of each import, also of `@testable import` and `import struct M.T`.
    private func imports(of file: SourceFile) -> [(Int, String)] {
        let kinds = ["struct", "class", "enum", "protocol", "func", "typealias", "var", "let", "actor"]
        return file.code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ").map(String.init)
            guard let position = words.firstIndex(of: "import"), words[..<position].allSatisfy(isImportPrefix) else {
                return nil
            }
            let name = words[(position + 1)...].first { !kinds.contains($0) }
            return name.map { (index + 1, String($0.prefix { $0 != "." })) }
        }
    }

    private func isImportPrefix(_ word: String) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "private", "fileprivate"].contains(word)
    }

    private func resolve(_ link: Substring, in folder: [String]) -> String {
        var parts = folder
        for part in link.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }
}
