import FoundationEssentials
import Operations
import Testing

/// Expected texts in files; `RECORD=1 swift test --filter GoldenTests` writes them anew, the difference is reviewed.
enum Golden {
    private static var folder: String {
        #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    }
    private static var isRecording: Bool { ProcessInfo.processInfo.environment["RECORD"] == "1" }

    /// Where `Golden/NAME` lies.
    static func path(_ name: String) -> String { folder + "/Golden/" + name }

    /// Compares with `Golden/NAME`.
    static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) {
        check(text, folder + "/Golden/" + name, sourceLocation)
    }

    /// Compares with a file of the repository.
    static func expect(
        _ text: String, repositoryFile: String, repair: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        check(text, folder + "/../../" + repositoryFile, sourceLocation, repair: repair)
    }

    /// The names of the files in a folder of the repository, sorted; none when there is no such folder.
    static func names(repositoryFolder: String) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder + "/../../" + repositoryFolder).sorted()
        } catch {
            return []
        }
    }

    /// Every Markdown file below a folder of the repository, with its path from the root, sorted.
    static func pages(below folder: String) -> [String] {
        names(repositoryFolder: folder).flatMap { name -> [String] in
            let path = folder + "/" + name
            return name.hasSuffix(".md") ? [path] : name.contains(".") ? [] : pages(below: path)
        }
    }

    /// A file of the repository; empty when it is not there.
    static func text(repositoryFile: String) -> String {
        let bytes = FileManager.default.contents(atPath: folder + "/../../" + repositoryFile)
        return String(decoding: bytes ?? Data(), as: UTF8.self)
    }

    private static func check(
        _ text: String, _ path: String, _ sourceLocation: SourceLocation, repair: String? = nil
    ) {
        let repair = repair.map { "repair it with `\($0)`" } ?? "record it with RECORD=1 swift test --filter GoldenTests"
        let text = text.hasSuffix("\n") ? text : text + "\n"
        do {
            if isRecording {
                let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                try FileManager.default.createDirectory(
                    atPath: parent.joined(separator: "/"), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
            }
            let expected = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            #expect(
                text == expected, "\(path) differs; \(repair)",
                sourceLocation: sourceLocation)
        } catch {
            Issue.record(
                "\(path) cannot be read; \(repair)",
                sourceLocation: sourceLocation)
        }
    }

    /// JSON with one member a line, so that a difference can be read.
    static func indented(_ value: JSONValue, _ margin: String = "") -> String {
        let inner = margin + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\"\($0.name)\": \(indented($0.value, inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + indented($0, inner) }.joined(separator: ",\n") + "\n\(margin)]"
        default: return String(decoding: value.bytes, as: UTF8.self)
        }
    }
}
