import ClusterModel
import Operations
import Testing

@testable import CommandLineInterface

@Suite struct UsageTests {
    @Test(arguments: [
        ("switchovr node2", "Did you mean 'pgbastion switchover'?"),
        ("peer lst", "Did you mean 'pgbastion peer list'?"),
        ("raft snapsot", "Did you mean 'pgbastion raft snapshot'?"),
        ("peerlist", "Did you mean"),
        ("-o json status", "Options go after the command words"),
        ("--watch status", "Options go after the command words"),
        ("status --wtach", "--watch"),
        ("peer add", "Missing expected argument"),
        ("peer add node3", "Missing expected argument"),
        ("peer add node3 10.0.1.3 extra", "Unexpected argument 'extra'"),
        ("peer add Node3 10.0.1.3", "it must be a node name"),
        ("switchover node2 --max-lag ten", "it must be a size"),
        ("status --timeout soon", "it must be a duration"),
        ("status -o xml", "it must be one of table, wide, json, jsonl, yaml, name"),
        ("status --fields a..b", "no path for --fields"),
        ("peer list --filter reachable", "not PATH=VALUE"),
        ("pause --wait --no-wait", "exclude each other"),
        ("status --request-id a/b", "--request-id"),
        ("completions tcsh", "it must be one of bash, zsh, fish"),
    ])
    func `a wrong line is exit 64 and says what is wrong`(line: String, text: String) async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run(line, invoker: invoker)
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.errors.contains(text), "\(run.errors)")
        #expect(run.output == "")
        #expect(invoker.calls.isEmpty)
    }

    @Test func `usage errors read the same as recorded`() async {
        var text = ""
        for line in ["switchovr", "peer lst", "-o json status", "status --wtach", "peer add", "status -o xml"] {
            let run = await Run(line)
            text += "$ pgbastion \(line)\n\(run.errors)exit \(run.status)\n\n"
        }
        Golden.expect(text, "usage-errors.txt")
    }

    @Test func `a usage error stays text with -o json`() async {
        let run = await Run("peer add -o json")
        #expect(run.status == 64)
        #expect(run.errors.hasPrefix("Error: "))
        #expect(run.output == "")
    }

    @Test(
        arguments: CommandLineInterface.makeTree(operations: Catalogue.operations, localCommands: []).entries.filter {
            $0.risk == .reads && $0.shape.arguments.allSatisfy { !$0.isRequired }
        }.map { $0.words.joined(separator: " ") })
    func `-o json may be first or last among the arguments`(words: String) async throws {
        let first = await Run("\(words) -o json --timeout 5s --no-input")
        let last = await Run("\(words) --timeout 5s --no-input -o json")
        #expect(first.status == last.status)
        #expect(first.output == last.output)
        #expect(try JSONParser.parse(Array(first.output.utf8))["format_version"] == .string("1.0"))
    }

    @Test func `options may stand between positional arguments`() async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run("peer add -o json node3 --learner 10.0.1.3", invoker: invoker)
        #expect(run.status == 0, "\(run.output)")
        let input = invoker.ownCalls.first.map { String(decoding: $0.input, as: UTF8.self) } ?? ""
        #expect(input.contains(#""name":"node3""#))
        #expect(input.contains(#""address":"10.0.1.3""#))
        #expect(input.contains(#""learner":true"#))
    }

    @Test(arguments: [
        ("peers", "peer.list"), ("lag", "replication.status"), ("raft", "raft.status"), ("ops", "op.list"),
        ("replication", "replication.status"), ("directives", "directive.list"), ("checks", "health-history"),
    ])
    func `an alias is its command`(alias: String, name: String) async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run(alias + " -o json", invoker: invoker)
        #expect(run.status == 0)
        #expect(invoker.calls.map(\.operation) == [name])
    }

    @Test func `a group word with a default takes no positional argument`() async {
        let run = await Run("raft stats")
        #expect(run.status == 64)
        #expect(run.errors.contains("Did you mean 'pgbastion raft status'?"))
    }

    @Test func `the environment stands in for options and an option wins`() async {
        let invoker = FakeInvoker.sampleCluster()
        let json = await Run(
            "peers", invoker: invoker, environment: ["PGBASTION_OUTPUT": "json", "PGBASTION_TIMEOUT": "3s"])
        #expect(json.output.hasPrefix("{"))
        #expect(invoker.calls.first?.timeout == .seconds(3))
        let name = await Run("peers -o name", environment: ["PGBASTION_OUTPUT": "json"])
        #expect(name.output == "node1\nnode2\nnode3\n")
        let wrong = await Run("peers", environment: ["PGBASTION_TIMEOUT": "soon"])
        #expect(wrong.status == 64)
        #expect(wrong.errors.contains("PGBASTION_TIMEOUT"))
    }

    @Test func `connection options come from arguments, then from the environment`() {
        var arguments = ParsedArguments()
        let specifications = CommonArguments.arguments(of: StatusOperation.definition)
        let environment = [
            "PGBASTION_ADDR": "https://10.0.1.1:8080,https://10.0.1.2:8080", "PGBASTION_TOKEN": "secret",
            "CREDENTIALS_DIRECTORY": "/run/credentials/backup",
        ]
        #expect(arguments.fill(specifications, from: environment) == nil)
        let options = ConnectionOptions(arguments, environment: environment)
        #expect(options.addresses == ["https://10.0.1.1:8080", "https://10.0.1.2:8080"])
        #expect(options.credentialsTokenFile == "/run/credentials/backup/api-token")
        #expect(options.token == "secret")
        #expect(options.configurationPath == "/etc/pgbastion/pgbastion.yaml")
        #expect(!options.isConfigurationGiven)
    }
}
