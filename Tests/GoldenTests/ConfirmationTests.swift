import ClusterModel
import Operations
import Testing

@testable import CommandLineInterface

@Suite struct ConfirmationTests {
    private static let switchover = "switchover node2"
    private static let losing = "failover node2 --allow-data-loss 1MiB"

    @Test func `a disruptive command without a terminal needs --yes`() async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run(Self.switchover, invoker: invoker)
        #expect(run.status == 64)
        #expect(run.errors == "Error: refusing to prompt: stdin is not a terminal; pass --yes\n")
        #expect(invoker.calls.isEmpty)
    }

    @Test func `the missing confirmation is text also with -o json`() async {
        let run = await Run(Self.switchover + " -o json")
        #expect(run.status == 64)
        #expect(run.output == "")
    }

    @Test(arguments: ["--yes", "-y"])
    func `--yes skips the question`(option: String) async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run("\(Self.switchover) \(option)", invoker: invoker)
        #expect(run.status == 0, "\(run.errors)")
        #expect(invoker.ownCalls.map(\.dryRun) == [false])
        #expect(invoker.ownCalls.first?.idempotencyKey != nil)
    }

    @Test func `on a terminal the plan is shown and y goes on`() async {
        let invoker = FakeInvoker.sampleCluster()
        let screen = FakeTerminal(typed: ["y"], isInteractive: true)
        let run = await Run(Self.switchover, invoker: invoker, on: screen)
        #expect(run.status == 0)
        #expect(run.errors.contains("[y/N]"))
        #expect(run.errors.contains("promote node2"))
        #expect(invoker.ownCalls.map(\.dryRun) == [true, false])
    }

    @Test(arguments: ["n", "", "no", "yep"])
    func `any other answer is exit 3 and nothing is sent`(answer: String) async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run(Self.switchover, invoker: invoker, on: FakeTerminal(typed: [answer], isInteractive: true))
        #expect(run.status == 3)
        #expect(run.errors.contains("code: not_confirmed (exit 3"))
        #expect(invoker.ownCalls.map(\.dryRun) == [true])
    }

    @Test(arguments: [("--no-input", [:]), ("", ["CI": "true"]), ("", ["PGBASTION_NO_INPUT": "1"])])
    func `prompts can be switched off`(option: String, environment: [String: String]) async {
        let screen = FakeTerminal(typed: ["y"], isInteractive: true)
        let run = await Run("\(Self.switchover) \(option)", on: screen, environment: environment)
        #expect(run.status == 64)
        #expect(run.errors.contains("prompts are switched off; pass --yes"))
    }

    @Test func `a parameter can raise the risk; then --yes is no option and the name is needed`() async {
        let invoker = FakeInvoker.sampleCluster()
        let refused = await Run(Self.losing + " --yes", invoker: invoker)
        #expect(refused.status == 64)
        #expect(refused.errors.contains("pass --confirm NAME"))
        #expect(invoker.calls.isEmpty)
    }

    @Test func `--confirm gives the name of the cluster`() async {
        let right = await Run(Self.losing + " --confirm prod")
        #expect(right.status == 0, "\(right.errors)")
        let invoker = FakeInvoker.sampleCluster()
        let wrong = await Run(Self.losing + " --confirm test", invoker: invoker)
        #expect(wrong.status == 3)
        #expect(wrong.errors.contains("the cluster is \"prod\""))
        #expect(invoker.ownCalls.map(\.dryRun) == [true])
    }

    @Test func `on a terminal the name is typed`() async {
        let right = await Run(Self.losing, on: FakeTerminal(typed: ["prod"], isInteractive: true))
        #expect(right.status == 0, "\(right.errors)")
        let wrong = await Run(Self.losing, on: FakeTerminal(typed: ["y"], isInteractive: true))
        #expect(wrong.status == 3)
    }

    @Test func `what would be refused is refused before the question`() async {
        let run = await Run("switchover node1", on: FakeTerminal(typed: ["y"], isInteractive: true))
        #expect(run.status == 3)
        #expect(!run.errors.contains("[y/N]"))
    }

    @Test func `--dry-run never asks`() async {
        let invoker = FakeInvoker.sampleCluster()
        let run = await Run(Self.switchover + " --dry-run", invoker: invoker)
        #expect(run.status == 0)
        #expect(invoker.ownCalls.map(\.dryRun) == [true])
        Golden.expect(run.output, "text/switchover-dry-run.txt")
    }

    @Test func `a reversible command asks nothing`() async {
        let run = await Run("pause --for 2h --reason test")
        #expect(run.status == 0, "\(run.errors)")
    }
}
