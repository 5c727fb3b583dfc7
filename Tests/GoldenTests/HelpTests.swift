import ClusterModel
import Operations
import Testing

@testable import CommandLineInterface

@Suite struct HelpTests {
    private static let tree = CommandLineInterface.makeTree(
        operations: Catalogue.operations, localCommands: SampleLocalCommand.all)

    @Test(arguments: tree.visibleEntries.map { $0.words.joined(separator: " ") })
    func `every command explains itself with exit 0`(words: String) async {
        let run = await Run(words + " --help")
        #expect(run.status == 0)
        #expect(run.errors == "")
        Golden.expect(run.output, "help/\(words.split(separator: " ").joined(separator: "-")).txt")
    }

    @Test(arguments: ["", "--help", "-h", "help"])
    func `without a command the overview is printed`(line: String) async {
        let run = await Run(line)
        #expect(run.status == 0)
        Golden.expect(run.output, "overview.txt")
    }

    @Test(arguments: ["peer", "peer --help", "help peer"])
    func `a group word alone prints its commands`(line: String) async {
        let run = await Run(line)
        #expect(run.status == 0)
        Golden.expect(run.output, "help-peer.txt")
    }

    @Test(arguments: HelpTopic.allCases.map(\.rawValue))
    func `every topic is explained`(topic: String) async {
        let run = await Run("help \(topic)")
        #expect(run.status == 0)
        Golden.expect(run.output, "topics/\(topic).txt")
    }

    @Test func `help of a command is what --help prints`() async {
        let byWord = await Run("help peer add")
        let byOption = await Run("peer add --help")
        #expect(byWord.output == byOption.output)
        #expect(byWord.status == 0)
    }

    @Test func `help of an unknown command is a usage error with a suggestion`() async {
        let run = await Run("help switchovr")
        #expect(run.status == 64)
        #expect(run.errors.contains("Did you mean 'pgbastion switchover'?"))
    }

    @Test func `a hidden command is in no list and can be run with any arguments`() async {
        let overview = await Run("--help")
        #expect(!overview.output.contains("guard"))
        let run = await Run("guard --lease 3 -x")
        #expect(run.output == "guard|--lease|3|-x\n")
    }

    @Test func `the version is one line of which the second word is the version (C01)`() async {
        for line in ["--version", "version"] {
            let run = await Run(line, invoker: .failing(.init(.unavailable, "no daemon")))
            #expect(run.status == 0)
            #expect(run.output.hasPrefix("pgbastion \(BuildInformation.version) (commit "))
        }
        let json = await Run("version -o json", invoker: .failing(.init(.unavailable, "no daemon")))
        #expect(json.status == 0)
        #expect(json.output.contains(#""version":"\#(BuildInformation.version)""#))
    }

    @Test(arguments: CompletionScript.allCases)
    func `the completion scripts in the repository are those of the commands`(shell: CompletionScript) async {
        let run = await Run("completions \(shell.rawValue)")
        #expect(run.status == 0)
        Golden.expect(run.output, repositoryFile: "completions/\(shell.fileName)")
    }
}
