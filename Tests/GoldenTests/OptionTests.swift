import ClusterModel
import Operations
import Testing

@testable import CommandLineInterface

/// The options of `cli.md` section 2 that change how a command asks, answers or is asked about.
@Suite struct OptionTests {
    @Test func `-o yaml is the document in YAML`() async {
        let run = await Run("leader -o yaml --request-id 7f3a9c21")
        #expect(run.status == 0)
        #expect(run.output.contains("\nkind: LeaderResult\n"))
        #expect(run.output.contains("\ndata:\n  address: \"10.0.1.2:8300\"\n  name: node2\n  term: 7\n"))
        let failed = await Run("leader -o yaml", invoker: .failing(BastionError(.noLeader, "no leader")))
        #expect(failed.status == 5 && failed.errors == "")
        #expect(failed.output.contains("error:\n  checks: []\n  code: no_leader\n"))
    }

    @Test func `YAML quotes whatever could be read as something else`() throws {
        let json = #"{"a":["x","-1","","yes","a: b","null",true,null,1.5,[],{},[1,[2]],{"b":"c","d":{"e":"f"}}],"on":"Mix ed"}"#
        let text = YAMLText.text(try JSONParser.parse(Array(json.utf8)))
        #expect(
            text == """
                a:
                  - x
                  - "-1"
                  - ""
                  - "yes"
                  - "a: b"
                  - "null"
                  - true
                  - null
                  - 1.5
                  - []
                  - {}
                  - - 1
                    - - 2
                  - b: c
                    d:
                      e: f
                "on": Mix ed
                """)
    }

    @Test func `colour is for people, and every switch is obeyed`() async {
        let green = "\u{1B}[32mstreaming\u{1B}[0m"
        func output(_ options: String, _ environment: [String: String] = [:], isTerminal: Bool = false) async -> String {
            let screen = FakeTerminal(isInteractive: isTerminal, columns: isTerminal ? 200 : nil)
            return await Run("status \(options)", on: screen, environment: environment).output
        }
        #expect(await !output("").contains("\u{1B}"))
        #expect(await output("", isTerminal: true).contains(green))
        #expect(await output("--color always").contains(green))
        #expect(await output("", ["CLICOLOR_FORCE": "1"]).contains(green))
        for options in ["--color never", "--no-color", "-o json"] {
            #expect(await !output(options, isTerminal: true).contains("\u{1B}"), "\(options)")
        }
        for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            #expect(await !output("", environment, isTerminal: true).contains("\u{1B}"), "\(environment)")
        }
        #expect(await output("--color always", ["NO_COLOR": "1"]).contains(green))
        let plain = await output("")
        let painted = await output("--color always")
        #expect(painted.replacing("\u{1B}[32m", with: "").replacing("\u{1B}[33m", with: "").replacing("\u{1B}[0m", with: "") == plain)
    }

    @Test func `tables fit the terminal and are never cut when piped`() async {
        let screen = FakeTerminal(isInteractive: true, columns: 60)
        let narrow = await Run("status -o wide --no-color", on: screen)
        let piped = await Run("status -o wide")
        // The line above the table is a sentence.
        #expect(narrow.output.split(separator: "\n").dropFirst().contains { $0.contains("…") })
        #expect(!piped.output.contains("…"))
        #expect(narrow.output.split(separator: "\n").count == piped.output.split(separator: "\n").count)
    }

    @Test func `--json-log makes every line of standard error an object`() async throws {
        let run = await Run("leader --json-log", invoker: .failing(BastionError(.noLeader, "no leader", hint: "wait")))
        #expect(run.status == 5)
        let lines = try run.errors.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        #expect(lines.compactMap { $0["level"]?.string } == ["error", "hint", "code"])
        #expect(lines.first?["message"]?.string == "no leader")
        #expect(lines.allSatisfy { $0["time"]?.string == "2026-02-17T02:00:00Z" })
    }

    @Test func `--reason and --override reach the operation, and an override asks for the name`() async {
        let invoker = FakeInvoker.sampleCluster()
        let line = ["switchover", "node2", "--override", "replica.caught_up", "--reason", "disk swap"]
        let refused = await Run(arguments: line + ["--yes"], invoker: invoker)
        #expect(refused.status == 64 && refused.errors.contains("pass --confirm NAME"))
        let run = await Run(arguments: line + ["--confirm", "prod"], invoker: invoker)
        #expect(run.status == 0, "\(run.errors)")
        #expect(invoker.ownCalls.map(\.overrides) == [["replica.caught_up"], ["replica.caught_up"]])
        #expect(invoker.ownCalls.last?.reason == "disk swap")
        let wrong = await Run("switchover node2 --yes --override replica.caught_upp")
        #expect(wrong.status == 64)
        #expect(wrong.errors.contains("did you mean \"replica.caught_up\"?"))
    }

    @Test func `a protected context asks for the typed name also before what only interrupts`() async {
        let invoker = FakeInvoker.sampleCluster()
        let refused = await Run("switchover node2 --yes --context production", invoker: invoker)
        #expect(refused.status == 64 && refused.errors.contains("pass --confirm NAME"))
        #expect(invoker.calls.isEmpty)
        let typed = FakeTerminal(typed: ["prod"], isInteractive: true)
        #expect(await Run("switchover node2 --context production", on: typed).status == 0)
        let environment = ["PGBASTION_CONTEXT": "production"]
        #expect(await Run("switchover node2 --confirm prod", invoker: invoker, environment: environment).status == 0)
        // What can be undone is not asked about.
        #expect(await Run("pause --context production").status == 0)
    }

    @Test func `a context gives the output format behind option and environment`() async {
        #expect(await Run("leader --context production").output.hasPrefix("{"))
        #expect(await Run("leader --context production -o table").output == "node2\n")
        #expect(await Run("leader --context production", environment: ["PGBASTION_OUTPUT": "name"]).output == "node2\n")
        let unknown = await Run("leader --context test")
        #expect(unknown.status == 10 && unknown.errors.contains("there is no context \"test\""))
    }

    @Test func `a watch in jsonl is records and ends with the result`() async {
        let run = await Run("status --watch -o jsonl", on: FakeTerminal(pausesBeforeInterrupt: 2))
        #expect(run.status == 130)
        let lines = run.output.split(separator: "\n")
        #expect(lines.count >= 2)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix(#"{"type":"record","envelope":{"#) })
        #expect(lines.last?.hasPrefix(#"{"type":"result","envelope":{"#) == true)
    }

    @Test func `a watch on a terminal paints the alternate screen and leaves it`() async {
        let screen = FakeTerminal(isInteractive: true, pausesBeforeInterrupt: 2, columns: 120)
        let run = await Run("status --watch --no-color", on: screen)
        #expect(run.output.hasPrefix("\u{1B}[?1049h"))
        #expect(run.output.hasSuffix("\u{1B}[?1049l"))
        #expect(run.output.contains("\u{1B}[H\u{1B}[2J"))
    }

    @Test func `SIGTERM ends a watch with 143 and detaches from a change`() async {
        let watch = await Run("status --watch", on: FakeTerminal(pausesBeforeInterrupt: 1, isTerminated: true))
        #expect(watch.status == 143)
        let endless = FakeInvoker { (_: OperationCall) async throws(BastionError) -> [UInt8] in
            while !Task.isCancelled { await Task.yield() }
            throw BastionError(.unavailable, "cancelled")
        }
        let screen = FakeTerminal(isInterruptedAtOnce: true, isTerminated: true)
        let change = await Run("switchover node2 --yes", invoker: endless, on: screen)
        #expect(change.status == 143)
        #expect(change.errors.contains("code: terminated (exit 143"))
    }

    @Test func `a spinner shows the running phase only where somebody sees it`() {
        let screen = FakeTerminal(isInteractive: true, columns: 80)
        let row = #"{"operations":[{"id":"op-1","request_id":"r","state":"running","phase":"promote","phases":[]}]}"#
        do {
            let data = try JSONParser.parse(Array(row.utf8))
            let operation = try #require(RunningOperation.find(startedBy: "r", in: data))
            ProgressLines(isShown: true, asJSON: false, terminal: screen.terminal).spin(operation, turn: 1)
            ProgressLines(isShown: true, asJSON: false, terminal: FakeTerminal().terminal).spin(operation, turn: 1)
        } catch {
            Issue.record(error)
        }
        #expect(screen.errors.hasPrefix("\r\u{1B}[K⠙ promote"))
    }

    @Test(arguments: ["backup lst", "replication statsu", "vip stat", "sandbox strt"])
    func `a group word with a default takes no positional argument (3.10)`(line: String) async {
        let run = await Run(line)
        #expect(run.status == 64, "\(run.output)")
        #expect(run.errors.contains("Did you mean") || line.hasPrefix("backup"), "\(run.errors)")
    }
}
