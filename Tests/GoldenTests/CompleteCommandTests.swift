import ClusterModel
import FoundationEssentials
import Operations
import Testing

@testable import CommandLineInterface

/// `__complete`: names for the shell (`cli.md` section 12).
@Suite struct CompleteCommandTests {
    @Test(arguments: [("nodes", "node1\nnode2\nnode3\n"), ("operations", "op-48231\n"), ("directives", "")])
    func `names come from the daemon`(source: String, names: String) async {
        let run = await inTime("__complete \(source) switchover")
        #expect(run.status == 0)
        #expect(run.output == names)
        #expect(run.errors == "")
    }

    @Test func `without a daemon the names of the last day are given, then none`() async throws {
        let folder = try Scratch.folder()
        defer { Scratch.remove(folder) }
        let environment = ["XDG_CACHE_HOME": folder]
        let away = FakeInvoker.failing(BastionError(.unavailable, "no daemon"))
        #expect(await inTime("__complete nodes", invoker: away, environment: environment).output == "")
        #expect(await inTime("__complete nodes", environment: environment).output == "node1\nnode2\nnode3\n")
        #expect(await inTime("__complete nodes", invoker: away, environment: environment).output == "node1\nnode2\nnode3\n")
        // Another cluster has other names.
        let other = await inTime("__complete nodes status --addr http://10.9.9.9:1", invoker: away, environment: environment)
        #expect(other.output == "")
        let cache = folder + "/pgbastion"
        for name in try FileManager.default.contentsOfDirectory(atPath: cache) {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: "\(cache)/\(name)")
        }
        #expect(await inTime("__complete nodes", invoker: away, environment: environment).output == "")
    }

    @Test func `an answer that comes too late is not waited for`() async {
        let late = FakeInvoker { (_: OperationCall) async throws(BastionError) -> [UInt8] in
            while !Task.isCancelled { await Task.yield() }
            throw BastionError(.unavailable, "too late")
        }
        let run = await Run("__complete nodes", invoker: late)
        #expect(run.status == 0)
        #expect(run.output == "")
        #expect(late.calls.first?.timeout == CompleteCommand.limit)
    }

    @Test(arguments: ["", "nothing", "nodes --context unknown", "nodes --context", "runbooks", "--help"])
    func `it never reports an error`(rest: String) async {
        let run = await Run("__complete \(rest)", invoker: .failing(BastionError(.internal, "broken")))
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(run.output == "")
    }

    @Test func `a name that means something to a shell is not offered`() async {
        let evil = FakeInvoker { (call: OperationCall) async throws(BastionError) -> [UInt8] in
            let answer = try await FakeInvoker.sampleCluster().invoke(call)
            return Array(String(decoding: answer, as: UTF8.self).replacing("op-48231", with: "$(id)").utf8)
        }
        let run = await inTime("__complete operations", invoker: evil)
        #expect(run.output == "")
    }

    /// A run in which the daemon's answer is waited for, however slow this machine is.
    private func inTime(
        _ line: String, invoker: FakeInvoker = .sampleCluster(), environment: [String: String] = [:]
    ) async -> Run {
        await Run(line, invoker: invoker, on: FakeTerminal(isPatient: true), environment: environment)
    }
}
