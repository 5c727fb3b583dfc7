import ClusterModel
import FoundationEssentials
import Operations
import Testing

@testable import CommandLineInterface

/// The generated reference in the repository is that of the commands there are; `make docs` repairs it.
@Suite struct DocumentTests {
    static let tree = CommandLineInterface.makeTree(
        operations: Catalogue.operations, localCommands: SampleLocalCommand.all)

    @Test func `the Markdown reference is that of the commands`() {
        expect(MarkdownReference(tree: Self.tree).files, "docs/reference", ".md")
    }

    @Test func `the manual pages are those of the commands`() {
        // pgbastion.yaml(5) is made from the reader of configuration files, which is not visible here.
        expect(ManualPages(tree: Self.tree, configurationKeys: []).files, "docs/man", ".8", besides: ["pgbastion.yaml.5"])
    }

    @Test func `the JSON Schemas are those of the results`() {
        expect(ResultSchemas.files(Self.tree), "docs/reference/schemas", ".json")
    }

    @Test func `manual pages render without a warning`() throws {
        let pages = ManualPages(
            tree: Self.tree,
            configurationKeys: [ConfigurationKeyText(name: "raft.bind_port", meaning: "a port\n.from 1 to 65535")]
        ).files
        for page in pages {
            let result = try Shell.run(
                ["groff", "-ww", "-man", "-Tutf8", "-Kutf8", "-z", "-rCHECKSTYLE=1"], input: page.text)
            #expect(result.status == 0 && result.errors.isEmpty, "\(page.path): \(result.errors)")
        }
        #expect(pages.contains { $0.path == "pgbastion.yaml.5" })
    }

    @Test func `docs writes files and names them`() async throws {
        let folder = try Scratch.folder()
        defer { Scratch.remove(folder) }
        let run = await Run("docs schemas --out \(folder)/schemas -o name")
        #expect(run.status == 0, "\(run.errors)")
        let names = run.output.split(separator: "\n")
        #expect(names.count > Catalogue.operations.count)
        #expect(names.allSatisfy { FileManager.default.fileExists(atPath: String($0)) })
        let refused = await Run("docs man --out /dev/null/x")
        #expect(refused.status == ErrorCode.io.exitStatus)
    }

    @Test func `every error code is explained in full sentences`() {
        for code in ErrorCode.allCases {
            for text in [code.meaning, code.remedy] {
                #expect(text.hasSuffix(".") && text.first?.isUppercase ?? false || text.hasPrefix("`"), "\(code): \(text)")
            }
        }
    }

    /// Every file is as recorded, and the folder has no other.
    private func expect(_ files: [DocumentFile], _ folder: String, _ ending: String, besides: Set<String> = []) {
        for file in files { Golden.expect(file.text, repositoryFile: "\(folder)/\(file.path)", repair: "make docs") }
        let names = Set(files.map(\.path))
        for name in Golden.names(repositoryFolder: folder) where name.hasSuffix(ending) {
            #expect(names.contains(name) || besides.contains(name), "\(folder)/\(name) belongs to no command; remove it")
        }
    }
}
