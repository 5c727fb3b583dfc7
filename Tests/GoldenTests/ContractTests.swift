import ClusterModel
import Operations
import Testing

@testable import CommandLineInterface

/// What every command keeps to (`cli.md` section 12): help, the place of options, JSON that follows its schema.
@Suite struct ContractTests {
    static let tree = CommandLineInterface.makeTree(
        operations: Catalogue.operations, localCommands: SampleLocalCommand.all)
    static let operations = tree.entries.filter { if case .operation = $0.action { true } else { false } }
        .map { $0.words.joined(separator: " ") }
    static let leaves = tree.visibleEntries.map { $0.words.joined(separator: " ") }

    @Test(arguments: leaves)
    func `--help and -h explain every command, wherever they stand`(words: String) async {
        for line in ["\(words) --help", "\(words) -h", "\(words) -o json --help"] {
            let run = await Run(line)
            #expect(run.status == 0, "\(line): \(run.errors)")
            #expect(run.output.contains("USAGE: pgbastion \(words)"), "\(line)")
        }
    }

    @Test(arguments: operations)
    func `JSON is the same with -o json first and last, and follows its schema`(words: String) async throws {
        let entry = try #require(Self.tree.entry(words.split(separator: " ").map(String.init)))
        guard case .operation(let operation) = entry.action else { return }
        let arguments = CommandSample.arguments(entry)
        let first = await Run(arguments: entry.words + ["-o", "json"] + arguments)
        let last = await Run(arguments: entry.words + arguments + ["-o", "json"])
        // How long a wait took is another time each time.
        #expect(words == "wait" || first.output == last.output)
        #expect(first.status == last.status)
        #expect(first.status != 64, "\(words) \(arguments): \(first.errors)")
        try expect(first, ResultSchemas.schema(of: operation))
    }

    @Test(arguments: operations)
    func `JSON of a failure follows the same schema`(words: String) async throws {
        let entry = try #require(Self.tree.entry(words.split(separator: " ").map(String.init)))
        guard case .operation(let operation) = entry.action, operation.definition.name != "version" else { return }
        let error = BastionError(
            .preconditionFailed, "no", detail: "because", hint: "do it",
            checks: [FailedCheck(id: "replica.caught_up", actual: "1", expected: "0", overridable: true)], operationID: "op-1")
        let line = entry.words + CommandSample.arguments(entry) + ["-o", "json"]
        let run = await Run(arguments: line, invoker: .failing(error))
        #expect(run.status == 3)
        #expect(run.errors == "")
        try expect(run, ResultSchemas.schema(of: operation))
        let text = await Run(arguments: entry.words + CommandSample.arguments(entry), invoker: .failing(error))
        #expect(text.output == "" && text.errors.contains("pgbastion: code: precondition_failed (exit 3, request "))
    }

    @Test(arguments: SampleLocalCommand.harmless.map(\.definition).filter { !$0.isHidden }.map { $0.words.joined(separator: " ") })
    func `JSON of a local command follows the envelope's schema`(words: String) async throws {
        let entry = try #require(Self.tree.entry(words.split(separator: " ").map(String.init)))
        let kind = OperationDefinition(name: entry.words.joined(separator: "."), summary: "").resultKind
        let schema = ResultSchemas.envelope(kind: kind, title: entry.summary)
        for line in [["-o", "json"] + CommandSample.arguments(entry), CommandSample.arguments(entry) + ["-o", "json"]] {
            let run = await Run(arguments: entry.words + line, localCommands: SampleLocalCommand.harmless)
            #expect(run.status == 0, "\(run.errors)")
            try expect(run, schema)
        }
    }

    @Test(arguments: leaves)
    func `the examples of every command can be parsed`(words: String) throws {
        let entry = try #require(Self.tree.entry(words.split(separator: " ").map(String.init)))
        for example in entry.examples {
            for line in ShellLine.commands(example) {
                #expect(ShellLine.complaint(line, Self.tree) == nil, "\(example): \(ShellLine.complaint(line, Self.tree) ?? "")")
            }
        }
    }

    @Test func `the schema check finds what is wrong`() throws {
        let schema = ResultSchemas.schema(of: try #require(Catalogue.operation(named: "leader")))
        let good = leaderDocument(#"{"address":"10.0.1.2:8300","name":"node2","term":7}"#)
        #expect(SchemaCheck.problems(try JSONParser.parse(Array(good.utf8)), schema) == [])
        for bad in [
            good.replacing("\"term\":7", with: "\"term\":\"7\""), good.replacing("\"ok\":true,", with: ""),
            good.replacing("LeaderResult", with: "Other"), good.replacing("\"warnings\":[]", with: "\"warnings\":null"),
        ] {
            #expect(SchemaCheck.problems(try JSONParser.parse(Array(bad.utf8)), schema) != [], "\(bad)")
        }
    }

    private func leaderDocument(_ data: String) -> String {
        #"{"captured_at":"","cluster":null,"data":\#(data),"error":null,"format_version":"1.0","kind":"LeaderResult","node":null,"#
            + #""ok":true,"request_id":"a","stale_seconds":0,"warnings":[]}"#
    }

    private func expect(_ run: Run, _ schema: JSONValue) throws {
        let document = try JSONParser.parse(Array(run.output.utf8))
        let problems = SchemaCheck.problems(document, schema)
        #expect(problems == [], "\(run.output.prefix(2000))")
    }
}

/// Arguments with which a command runs on the sample cluster.
enum CommandSample {
    static func arguments(_ entry: CommandEntry) -> [String] {
        var words: [String] = []
        for argument in entry.shape.ownArguments where argument.isRequired {
            if let option = argument.spellings.last { words.append(option) }
            words.append(value(argument))
        }
        let names = Set(entry.shape.arguments.map(\.name))
        if names.contains("yes") { words.append("--yes") }
        if names.contains("confirm") { words += ["--confirm", "prod"] }
        return words
    }

    private static func value(_ argument: ArgumentSpecification) -> String {
        if let choice = argument.choices.first { return choice }
        switch argument.kind {
        case .nodeName: return argument.name == "name" ? "node4" : "node2"
        case .address: return "10.0.1.4"
        case .integer: return "3"
        case .size: return "1MiB"
        case .duration: return "1s"
        case .textList: return argument.name == "conditions" ? "leader" : "work_mem=8MB"
        case .text, .flag, .choice, .file: return argument.name == "addr" ? "unix:///run/x.sock" : "node2"
        }
    }
}
