import ClusterModel
import Operations
import Testing

@testable import CommandLineInterface

@Suite struct OutputTests {
    private static let reads = CommandLineInterface.makeTree(operations: Catalogue.operations, localCommands: [])
        .entries
        .filter { $0.risk == .reads && $0.words != ["version"] && $0.shape.arguments.allSatisfy { !$0.isRequired } }
        .map { $0.words.joined(separator: " ") }

    @Test(arguments: reads)
    func `the JSON document of every read is as recorded`(words: String) async throws {
        let run = await Run(words + " -o json --request-id 7f3a9c21")
        let document = try JSONParser.parse(Array(run.output.utf8))
        #expect(run.output.split(separator: "\n").count == 1)
        Golden.expect(Golden.indented(document), "json/\(words.split(separator: " ").joined(separator: "-")).json")
    }

    @Test(arguments: reads)
    func `the text of every read is as recorded`(words: String) async {
        let run = await Run(words)
        Golden.expect(run.output + run.errors, "text/\(words.split(separator: " ").joined(separator: "-")).txt")
    }

    private static let refusal = BastionError(
        .preconditionFailed,
        "switchover refused: replica \"node2\" is 50.0 MiB behind, the limit is 10.0 MiB",
        detail: "check replica.caught_up: nodes[name=node2].lag_bytes is 52428800, must be <= 10485760. "
            + "Nothing was changed.",
        hint: "wait with `pgbastion wait 'lag<=10MiB,node=node2'`, or allow it with "
            + "`pgbastion switchover node2 --max-lag 60MiB`",
        checks: [
            FailedCheck(
                id: "replica.caught_up", path: "nodes[name=node2].lag_bytes", actual: "52428800",
                expected: "<= 10485760", overridable: true)
        ])

    @Test func `an error is told as in section 6.1`() async {
        let run = await Run("switchover node2 --yes --request-id 7f3a9c21", invoker: .failing(Self.refusal))
        #expect(run.status == 3)
        #expect(run.output == "")
        Golden.expect(run.errors, "error.txt")
    }

    @Test func `with -o json a failure is one document on standard output`() async throws {
        let run = await Run("switchover node2 --yes -o json --request-id 7f3a9c21", invoker: .failing(Self.refusal))
        #expect(run.status == 3)
        #expect(run.errors == "")
        let document = try JSONParser.parse(Array(run.output.utf8))
        #expect(document["kind"] == .string("SwitchoverResult"))
        Golden.expect(Golden.indented(document), "error.json")
    }

    @Test(arguments: ErrorCode.allCases.filter { $0 != .usage })
    func `every error code ends with its exit status`(code: ErrorCode) async {
        let text = await Run("status", invoker: .failing(BastionError(code, "could not")))
        #expect(text.status == code.exitStatus)
        let json = await Run("status -o json", invoker: .failing(BastionError(code, "could not")))
        #expect(json.status == code.exitStatus)
        #expect(json.output.contains(#""code":"\#(code.rawValue)""#))
    }

    @Test func `the exit status of an unknown error code is what the daemon says`() async {
        let answer = """
            {"format_version":"1.3","kind":"StatusResult","ok":false,"cluster":null,"node":null,"data":null,
             "error":{"code":"brand_new","exit":9,"message":"new","detail":null,"hint":null,"checks":[]}}
            """
        let invoker = FakeInvoker { (_: OperationCall) async throws(BastionError) -> [UInt8] in Array(answer.utf8) }
        #expect(await Run("status", invoker: invoker).status == 9)
    }

    @Test(arguments: ["not json", "{}", #"{"format_version":"2.0","kind":"StatusResult"}"#])
    func `an answer that cannot be read is an error, in JSON too`(answer: String) async {
        let invoker = FakeInvoker { (_: OperationCall) async throws(BastionError) -> [UInt8] in Array(answer.utf8) }
        let text = await Run("status", invoker: invoker)
        #expect(text.status == 5)
        let json = await Run("status -o json", invoker: invoker)
        #expect(json.status == 5)
        #expect(json.output.hasPrefix("{"))
    }

    @Test func `one field prints its bare value, several print their paths`() async {
        #expect(await Run("status --fields paused.active").output == "false\n")
        #expect(await Run("peers --fields peers[].name").output == "node1\nnode2\nnode3\n")
        #expect(await Run("status --fields nodes[name=node3].lag_bytes").output == "1258291\n")
        #expect(await Run("status --fields raft.term,cluster.name").output == "raft.term     7\ncluster.name  prod\n")
    }

    @Test func `fields of a JSON document keep its shape`() async {
        let run = await Run("peers -o json --fields peers[].name")
        #expect(run.output.contains(#""data":{"peers":[{"name":"node1"},{"name":"node2"},{"name":"node3"}]}"#))
    }

    @Test func `a filter keeps the rows that match`() async {
        #expect(await Run("peers -o name --filter name=node2").output == "node2\n")
        #expect(await Run("peers -o name --filter reachable=false").output == "")
    }

    @Test func `jsonl ends with the result`() async {
        let run = await Run("peers -o jsonl")
        #expect(run.output.hasPrefix(#"{"type":"result","envelope":{"#))
        #expect(run.output.split(separator: "\n").count == 1)
    }

    @Test func `a local command prints text, JSON or its error in the same way`() async {
        let text = await Run("config validate")
        #expect(text.output == "config validate\n")
        let json = await Run("config validate -o json")
        #expect(json.output.contains(#""kind":"ConfigValidateResult""#))
        let failed = await Run("config validate bad.yaml")
        #expect(failed.status == 78)
        #expect(failed.errors.hasPrefix("pgbastion: error: bad.yaml:3:1: unknown key \"rafft\"\npgbastion: hint: did"))
        let failedJSON = await Run("config validate bad.yaml -o json")
        #expect(failedJSON.status == 78)
        #expect(failedJSON.output.contains(#""code":"invalid_configuration""#))
    }

    @Test func `watching prints snapshots until interrupted`() async {
        let run = await Run("status --watch --interval 1s", on: FakeTerminal(pausesBeforeInterrupt: 3))
        #expect(run.status == 130)
        #expect(run.output.contains("\n\nprod · epoch 3"))
    }

    @Test func `watching ends with 5 when the source stays away for the timeout`() async {
        let run = await Run(
            "status --watch --interval 1s --timeout 3s", invoker: .failing(BastionError(.unavailable, "nobody answers"))
        )
        #expect(run.status == 5)
    }
}
