import ClusterModel
import FoundationEssentials
import Operations
import Testing

@testable import CommandLineInterface

/// The scripts in the shells they are for; a small program in the place of `pgbastion` gives the names.
@Suite(.serialized) struct ShellCompletionTests {
    struct Case: Sendable, CustomStringConvertible {
        var typed: String
        var completed: String
        var description: String { typed }
    }

    /// What TAB makes of a line when there is one way on.
    static let cases = [
        Case(typed: "pgbastion switchov", completed: "pgbastion switchover"),
        Case(typed: "pgbastion raft sn", completed: "pgbastion raft snapshot"),
        Case(typed: "pgbastion status --outp", completed: "pgbastion status --output"),
        Case(typed: "pgbastion status -o ya", completed: "pgbastion status -o yaml"),
        Case(typed: "pgbastion switchover second", completed: "pgbastion switchover second-node"),
        Case(typed: "pgbastion switchover --to second", completed: "pgbastion switchover --to second-node"),
        Case(typed: "pgbastion switchover -o json second", completed: "pgbastion switchover -o json second-node"),
        Case(typed: "pgbastion op wait op-4", completed: "pgbastion op wait op-48231"),
        Case(typed: "pgbastion status --context pro", completed: "pgbastion status --context production"),
        Case(typed: "pgbastion wait lea", completed: "pgbastion wait leader"),
        Case(typed: "pgbastion help exit", completed: "pgbastion help exit-codes"),
        Case(typed: "pgbastion status --config only", completed: "pgbastion status --config only.yaml"),
        Case(
            typed: "pgbastion switchover --override replica.c",
            completed: "pgbastion switchover --override replica.caught_up"),
    ]

    @Test func `bash completes words, options, values and names`() throws {
        try expectKeys(
            ["bash", "--norc", "--noprofile", "-i"], script: "pgbastion.bash", ready: "PS1='READY> '; bind 'set enable-bracketed-paste off'"
        )
    }

    @Test func `zsh completes words, options, values and names`() throws {
        try expectKeys(
            ["zsh", "-f", "-i"], script: "_pgbastion",
            ready: "unsetopt PROMPT_SP; autoload -Uz compinit; compinit -u -D; PS1='READY> '")
    }

    @Test(arguments: cases)
    func `fish completes words, options, values and names`(example: Case) throws {
        let place = try CompletionPlace()
        defer { place.remove() }
        let result = try Shell.run(
            ["fish", "--no-config", "-c", "source \(place.folder)/pgbastion.fish; complete -C \"\(example.typed)\""],
            environment: place.environment, folder: place.folder)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let last = example.completed.split(separator: " ").last.map(String.init) ?? ""
        let offered = result.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
        #expect(offered == [last], "\(example.typed): \(result.output)")
    }

    @Test func `all names are offered when several fit`() throws {
        let place = try CompletionPlace()
        defer { place.remove() }
        let bash = try Shell.run(
            [
                "bash", "--norc", "-c",
                "source pgbastion.bash; COMP_WORDS=(pgbastion switchover --to = ''); COMP_CWORD=4; _pgbastion; echo \"${COMPREPLY[@]}\"",
            ], environment: place.environment, folder: place.folder)
        #expect(bash.output == "first-node second-node\n", "\(bash.errors)")
        let fish = try Shell.run(
            ["fish", "--no-config", "-c", "source pgbastion.fish; complete -C 'pgbastion switchover --to='"],
            environment: place.environment, folder: place.folder)
        #expect(fish.output == "--to=first-node\n--to=second-node\n", "\(fish.errors)")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `a shell finds nothing to complain about in its script`(shell: String) throws {
        let place = try CompletionPlace()
        defer { place.remove() }
        let name = try #require(CompletionScript(rawValue: shell)).fileName
        let result = try Shell.run([shell, "-n", name], environment: place.environment, folder: place.folder)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    }

    /// Types every case on a terminal, TAB behind it, and has the shell print what the line became.
    private func expectKeys(_ shell: [String], script: String, ready: String) throws {
        let place = try CompletionPlace()
        defer { place.remove() }
        let screen = try PseudoTerminal(shell, environment: place.environment, folder: place.folder)
        defer { screen.end() }
        screen.type(" \(ready); source ./\(script); echo LOADED:$?\n")
        try #require(screen.waits(for: "LOADED:0"), "\(screen.shown)")
        for example in Self.cases {
            screen.forget()
            screen.type("\(example.typed)\t\u{01}echo RESULT:\n")
            #expect(screen.waits(for: "\nRESULT:\(example.completed)", limit: .seconds(10)), "\(example.typed): \(screen.shown)")
        }
    }
}

/// A folder with the three scripts, a file, and a `pgbastion` that knows names.
private struct CompletionPlace {
    let folder: String
    var environment: [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return ["PATH": "\(folder)/bin:\(path)", "HOME": folder, "TERM": "vt100", "LC_ALL": "C.UTF-8"]
    }

    init() throws {
        folder = try Scratch.folder()
        let model = CompletionModel(ContractTests.tree)
        for script in CompletionScript.allCases {
            try Data(script.text(model).utf8).write(to: URL(filePath: "\(folder)/\(script.fileName)"))
        }
        try Data().write(to: URL(filePath: "\(folder)/only.yaml"))
        try FileManager.default.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
        // A program written here could not be run while a process that another test just made still holds it open.
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/bin/pgbastion", withDestinationPath: Golden.path("pgbastion-of-the-shells"))
    }

    func remove() { Scratch.remove(folder) }
}
