import ClusterModel
import FoundationEssentials
import Glibc
import Operations

/// `docs man|markdown|openapi|schemas [--out DIR]`: the generated reference.
package struct DocsCommand: TreeCommand {
    var tree = CommandTree.empty
    /// The OpenAPI document; the surface that has the routes gives it.
    private let openAPI: (@Sendable () -> String)?
    private let configurationKeys: @Sendable () -> [ConfigurationKeyText]

    package init(
        openAPI: (@Sendable () -> String)? = nil,
        configurationKeys: @escaping @Sendable () -> [ConfigurationKeyText] = { [] }
    ) {
        self.openAPI = openAPI
        self.configurationKeys = configurationKeys
    }

    private enum Form: String, CaseIterable { case man, markdown, openapi, schemas }

    package let definition = LocalCommandDefinition(
        words: ["docs"], summary: "write the reference: manual pages, Markdown, OpenAPI, JSON Schemas",
        discussion: "Without --out a single document is printed, and of several the names.",
        parameters: [
            ParameterDefinition(
                name: "form", kind: .choice, help: "what to write", isRequired: true, position: 0,
                choices: Form.allCases.map(\.rawValue)),
            ParameterDefinition(name: "out", kind: .text, help: "folder to write to; it is made when it is not there"),
        ],
        examples: ["pgbastion docs man --out /usr/local/share/man/man8", "pgbastion docs schemas --out schemas"],
        errorCodes: [.io])

    package func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        guard let form = Form(rawValue: arguments.text("form") ?? "") else {
            throw BastionError(.usage, "unknown form \"\(arguments.text("form") ?? "")\"")
        }
        let files = try files(form)
        guard let folder = arguments.text("out") else {
            if files.count == 1 {
                terminal.write(files[0].text)
                return .finished(0)
            }
            return outcome(files.map(\.path), text: files.map(\.path).joined(separator: "\n"))
        }
        try Self.write(files, to: folder)
        return outcome(files.map { folder + "/" + $0.path }, text: "\(files.count) files in \(folder)")
    }

    /// What one form consists of, sorted by path.
    private func files(_ form: Form) throws(BastionError) -> [DocumentFile] {
        switch form {
        case .man: return ManualPages(tree: tree, configurationKeys: configurationKeys()).files
        case .markdown: return MarkdownReference(tree: tree).files
        case .schemas: return ResultSchemas.files(tree)
        case .openapi:
            guard let openAPI else { throw BastionError(.usage, "this program has no routes to describe") }
            return [DocumentFile("openapi.json", JSONPretty.text(try JSONParser.parse(Array(openAPI().utf8))) + "\n")]
        }
    }

    private func outcome(_ paths: [String], text: String) -> LocalOutcome {
        LocalOutcome(
            text: text, data: .object([.init(name: "files", value: .array(paths.map { .string($0) }))]), names: paths)
    }

    private static func write(_ files: [DocumentFile], to folder: String) throws(BastionError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for file in files { try Data(file.text.utf8).write(to: URL(filePath: folder + "/" + file.path)) }
        } catch {
            throw BastionError(.io, "could not write to \"\(folder)\"", detail: "\(error)")
        }
    }
}
