import ClusterModel
import Operations
import Testing

@testable import Runbooks

/// Findings for people, programs and GitHub; and the schema for editors.
struct DiagnosticTextTests {
    private static let text = LintSupport.condition("{ path: \"nodes[name=${params.target}].lagg_bytes\", lte: 1MiB }")
    private static let finding = LintSupport.lint(text, file: "x.yaml").first

    @Test func `a finding shows its line with a caret and a suggestion`() throws {
        let finding = try #require(Self.finding)
        let shown = DiagnosticText.text(finding, lines: Self.text.split(separator: "\n", omittingEmptySubsequences: false))
        let lines = shown.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines[0].hasPrefix("x.yaml:16:") && lines[0].contains("error[RB021]: unknown path 'nodes[name=${params.target}].lagg_bytes'"))
        let caret = try #require(lines[2].firstIndex(of: "^"))
        let column = lines[2].distance(from: lines[2].startIndex, to: caret)
        #expect(lines[1].dropFirst(column).hasPrefix("lagg_bytes"))
        #expect(lines[2].count { $0 == "^" } == "lagg_bytes".count)
        #expect(lines[3] == "help: did you mean 'lag_bytes'?")
    }

    @Test func `the object has every field`() throws {
        let json = DiagnosticText.json(try #require(Self.finding))
        #expect(
            json.members?.map(\.name) == ["column", "end_column", "end_line", "file", "help", "line", "message", "rule", "severity"])
        #expect(json["rule"]?.string == "RB021")
    }

    @Test func `workflow commands are escaped`() {
        let finding = RunbookDiagnostic(.unknownKey, file: "a,b:c%.yaml", at: .none, "50% of\nit", help: nil)
        let lines = DiagnosticText.github([finding]).split(separator: "\n")
        #expect(lines == ["::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=RB010::50%25 of%0Ait", "1 error, 0 warnings"])
    }

    @Test func `a file with a syntax error still reports what was parsed`() {
        let broken = LintSupport.text(metadata: "  riks: read\n") + "steps: [\n"
        let found = LintSupport.lint(broken).map(\.rule)
        #expect(found.contains(.unknownKey) && found.contains(.notYAML))
        #expect(!found.contains(.missingKey))
    }

    @Test func `findings stand in the order of the text`() {
        let found = LintSupport.lint(LintSupport.text(metadata: "  riks: read\n", steps: "  - { id: a, run: nothing, retrie: 1 }\n"))
        #expect(found.map(\.at.start) == found.map(\.at.start).sorted())
        #expect(found.count >= 3)
    }

    @Test func `the schema has every section, and names every operation and check`() throws {
        let definitions = try #require(RunbookSchema.schema["$defs"])
        for shape in RunbookShapes.all { #expect(definitions[shape.name]?["properties"]?.members?.count == shape.fields.count) }
        let operations = definitions["step"]?["properties"]?["run"]?["enum"]?.elements ?? []
        #expect(operations.contains(.string("switchover")) && operations.contains(.string("backup.create")))
        #expect(definitions["condition"]?["properties"]?["check"]?["enum"]?.elements?.count == NamedCheck.all.count)
    }

    @Test func `every shape that is named exists`() {
        func names(_ shape: ValueShape) -> [String] {
            switch shape {
            case .object(let name): [name]
            case .list(let inner), .oneOrList(let inner), .map(let inner): names(inner)
            case .either(let shapes): shapes.flatMap(names)
            default: []
            }
        }
        let wanted = RunbookShapes.all.flatMap { $0.fields.flatMap { names($0.shape) } }
        #expect(Set(wanted).subtracting(RunbookShapes.all.map(\.name)).isEmpty)
    }

    @Test func `the state document has the types that its names say`() {
        func type(_ path: String) -> FieldType? {
            guard case .success(let parsed) = StatePathParser.parse(path, at: .none, indent: 0, allowsReferences: true),
                case .found(let type) = StateSchema.standard.resolve(parsed)
            else { return nil }
            return type
        }
        #expect(type("nodes[name=a].lag_bytes") == .bytes)
        #expect(type("nodes[name=a].lag_seconds") == .seconds)
        #expect(type("captured_at") == .time && type("paused.until") == .time)
        #expect(type("primary.lsn") == .lsn && type("nodes[name=a].version") == .version)
        #expect(type("raft.has_quorum") == .boolean && type("raft.voters") == .integer)
        #expect(type("nodes[role=replica].version") == .list(.version, uniqueKey: nil))
        #expect(type("nodes[name=a].slots[name=b].active") == .boolean)
        #expect(type("local.postgres.timeline") == .integer && type("local.config_valid") == .boolean)
        #expect(type("nodes[name=a].raft.suffrage") == .choice(["voter", "learner", "none"]))
        #expect(type("lock.live") == .boolean && type("operations.active[id=x].started_at") == .time)
    }
}
