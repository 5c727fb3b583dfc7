import ClusterModel
import Testing

@testable import ConfigFiles

@Suite struct YAMLDocumentTests {
    private func refusals(_ text: String) -> [String] { refusals(Array(text.utf8)) }

    private func refusals(_ bytes: [UInt8]) -> [String] {
        do {
            _ = try YAMLDocument.parse(bytes, file: "f")
            return []
        } catch {
            return error.diagnostics.map { "\($0.line):\($0.column) \($0.message)" }
        }
    }

    @Test func `every node knows its line and column`() throws {
        let root = try YAMLDocument.parse("a: 1\nb:\n  - x\n  - {c: \"d\"}\n", file: "f")
        #expect(
            root["a"] == YAMLNode(.scalar("1", plain: true), at: TextPosition(line: 1, column: 4), to: TextPosition(line: 1, column: 5)))
        #expect(root["b"]?.position == TextPosition(line: 3, column: 3))
        let second = root["b"]?.elements?.last
        #expect(
            second?["c"]
                == YAMLNode(.scalar("d", plain: false), at: TextPosition(line: 4, column: 9), to: TextPosition(line: 4, column: 12)))
        #expect(second?.entries?.first?.position == TextPosition(line: 4, column: 6))
    }

    @Test func `scalars stay texts`() throws {
        let root = try YAMLDocument.parse("[no, on, 0o17, 1e3, 2020-01-01, ~, null, \"\"]", file: "f")
        #expect(root.elements?.map(\.text) == ["no", "on", "0o17", "1e3", "2020-01-01", nil, nil, ""])
    }

    @Test func `an empty document is null`() throws {
        for text in ["", "# only a comment\n", "---\n"] { #expect(try YAMLDocument.parse(text, file: "f").isNull) }
    }

    @Test func `what can surprise is refused with its place`() {
        #expect(refusals("a: &x 1\nb: *x\n") == ["1:4 anchors are not supported", "2:4 aliases are not supported"])
        #expect(refusals("a: !!str 1") == ["1:4 tags are not supported: \"tag:yaml.org,2002:str\""])
        #expect(refusals("a: ! 1") == ["1:4 tags are not supported: \"!\""])
        #expect(refusals("a: 1\n\"a\": 2") == ["2:1 duplicate key \"a\"; it is also in line 1"])
        #expect(refusals("? [a]\n: 1") == ["1:3 a key must be a single text, not a list"])
        #expect(refusals("a: 1\n---\nb: 2") == ["2:1 a second document begins here; one file holds one document"])
    }

    @Test func `syntax errors have a place`() {
        #expect(refusals("a: [1, 2\nb: 3").first?.hasPrefix("2:") == true)
        #expect(refusals("a:\n\t- 1").first?.hasPrefix("2:1 ") == true)
        #expect(refusals("a: \"x").count == 1)
        #expect(refusals([0x61, 0x3A, 0x20, 0xFF]) == ["1:4 the text is not UTF-8"])
        #expect(refusals("a: \u{1}").count == 1)
        #expect(refusals([0x61, 0, 0x3A]).count == 1)
    }

    @Test func `depth and size are limited`() {
        let depth = YAMLDocument.maximumDepth
        func nested(_ n: Int) -> String { String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        #expect(refusals(nested(depth)).isEmpty)
        #expect(refusals(nested(depth + 1)).first?.contains("nested deeper than 32") == true)
        #expect(refusals(String(repeating: "[", count: 20_000)).count == 1)
        #expect(refusals(String(repeating: "{a: ", count: 20_000)).count == 1)
        #expect(refusals([UInt8](repeating: 0x20, count: YAMLDocument.maximumBytes + 1)).count == 1)
        #expect(refusals([UInt8](repeating: 0x20, count: YAMLDocument.maximumBytes)).isEmpty)
    }

    @Test func `the number of errors is limited`() {
        let text = String(repeating: "- &a 1\n", count: 10_000)
        #expect(refusals(text).count == YAMLDocument.maximumErrors + 1)
    }
}
