import ClusterModel
import Operations
import Synchronization
import Testing

@testable import CommandLineInterface

@Suite struct ProgressTests {
    /// The change ends when the running operation was looked at so many times.
    private static func slowCluster(looks needed: Int) -> FakeInvoker {
        let looks = Mutex(0)
        return FakeInvoker { (call: OperationCall) async throws(BastionError) -> [UInt8] in
            if call.operation == "op.list" {
                let seen = looks.withLock { count in
                    count += 1
                    return count
                }
                return Array(operations(phases: min(seen, 3), requestID: "7f3a9c21").utf8)
            }
            while looks.withLock({ $0 }) < needed, !Task.isCancelled { await Task.yield() }
            let inner = FakeInvoker.sampleCluster()
            return try await inner.invoke(call)
        }
    }

    private static func operations(phases count: Int, requestID: String) -> String {
        let phases = [
            #"{"name":"check","detail":"9 checks","elapsed_seconds":0.0}"#,
            #"{"name":"checkpoint","detail":"node1","elapsed_seconds":0.8}"#,
            #"{"name":"hold","detail":"12 sessions wait","elapsed_seconds":0.0}"#,
        ].prefix(count).joined(separator: ",")
        return """
            {"format_version":"1.0","kind":"OpListResult","ok":true,"request_id":"x","error":null,"data":{"operations":[
             {"id":"op-48231","name":"switchover","state":"running","phase":"stop","from":"node1","to":"node2",
              "request_id":"\(requestID)","phases":[\(phases)]}]}}
            """
    }

    @Test func `finished phases are told once, on standard error, before the result`() async {
        let run = await Run(
            "switchover node2 --yes --request-id 7f3a9c21", invoker: Self.slowCluster(looks: 4))
        #expect(run.status == 0, "\(run.errors)")
        Golden.expect(run.errors, "progress.txt")
    }

    @Test func `-q tells no phases`() async {
        let run = await Run("switchover node2 --yes -q", invoker: Self.slowCluster(looks: 0))
        #expect(run.errors == "")
    }

    @Test func `with jsonl phases are lines of type progress and the last line is the result`() async {
        let run = await Run(
            "switchover node2 --yes -o jsonl --request-id 7f3a9c21", invoker: Self.slowCluster(looks: 4))
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.first?.hasPrefix(#"{"type":"progress","phase":"check""#) == true)
        #expect(lines.last?.hasPrefix(#"{"type":"result""#) == true)
    }

    @Test func `Ctrl-C detaches: the operation goes on`() async {
        let run = await Run(
            "switchover node2 --yes --request-id 7f3a9c21", invoker: Self.slowCluster(looks: .max),
            on: FakeTerminal(pausesBeforeInterrupt: 5))
        #expect(run.status == 130)
        #expect(run.errors.contains("pgbastion op wait op-48231"))
    }

    @Test func `--no-wait does not wait`() async {
        let invoker = FakeInvoker.sampleCluster()
        _ = await Run("switchover node2 --yes --no-wait", invoker: invoker)
        #expect(invoker.ownCalls.first?.waitLimit == nil)
        #expect(invoker.calls.count == 1)
    }
}
