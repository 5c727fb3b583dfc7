import ClusterModel
import Operations
import Runbooks

/// The commands about runbook files; `sources` says where they are and how they are read.
package enum RunbookFileCommands {
    package static func all(_ sources: RunbookSources) -> [any LocalCommand] {
        [
            RunbookListCommand(sources: sources), RunbookShowCommand(sources: sources), RunbookDocsCommand(sources: sources),
            RunbookLintCommand(sources: sources), RunbookSchemaCommand(), StateDiffCommand(sources: sources), StateSchemaCommand(),
        ]
    }
}

extension RunbookSources {
    /// With the directory of `--dir` before all others.
    package func searching(_ arguments: ParsedArguments) -> RunbookSources {
        guard let directory = arguments.text("dir") else { return self }
        var sources = self
        sources.prefer([directory])
        return sources
    }
}

/// `pgbastion runbook list`
struct RunbookListCommand: LocalCommand {
    let definition = LocalCommandDefinition.runbookList
    let sources: RunbookSources

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let library = try RunbookLibrary(sources.searching(arguments))
        var table = TextTable("NAME", "RISK", "TITLE")
        for entry in library.entries {
            table.add([entry.name, entry.file.runbook?.metadata.risk.value.runbookName ?? "-", title(entry)])
        }
        let rows = library.entries.map { entry in
            JSONValue.record([
                ("name", .string(entry.name)), ("risk", .optional(entry.file.runbook?.metadata.risk.value.runbookName)),
                ("title", .optional(entry.file.runbook?.metadata.title)), ("path", .string(entry.file.path)),
                ("scope", .optional(entry.file.runbook?.metadata.scope.rawValue)),
                ("tags", .array((entry.file.runbook?.metadata.tags ?? []).map { .string($0) })),
                ("hides", .array(entry.hides.map { .string($0) })), ("valid", .bool(!entry.file.hasErrors)),
            ])
        }
        var outcome = LocalOutcome(
            text: library.entries.isEmpty
                ? "no runbooks were found in \(sources.searching(arguments).directories.joined(separator: ", "))" : table.text,
            data: .record([("runbooks", .array(rows))]), names: library.entries.map(\.name))
        outcome.warnings = library.entries.flatMap { entry in entry.hides.map { "\(entry.file.path) hides \($0)" } }
        return outcome
    }

    private func title(_ entry: RunbookLibrary.Entry) -> String {
        let title = entry.file.runbook?.metadata.title ?? ""
        return title + (entry.file.hasErrors ? " (has errors)" : "") + (entry.hides.isEmpty ? "" : " (hides another)")
    }
}

/// `pgbastion runbook show NAME`
struct RunbookShowCommand: LocalCommand {
    let definition = LocalCommandDefinition.runbookShow
    let sources: RunbookSources

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let entry = try RunbookLibrary(sources.searching(arguments)).require(arguments.text("name") ?? "")
        let text = entry.file.text
        return LocalOutcome(
            text: text.hasSuffix("\n") ? String(text.dropLast()) : text,
            data: .record([("path", .string(entry.file.path)), ("runbook", entry.file.reading.node?.json ?? .null)]), names: [entry.name])
    }
}

/// `pgbastion runbook docs NAME`
struct RunbookDocsCommand: LocalCommand {
    let definition = LocalCommandDefinition.runbookDocs
    let sources: RunbookSources

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let entry = try RunbookLibrary(sources.searching(arguments)).require(arguments.text("name") ?? "")
        guard let runbook = entry.file.runbook else {
            throw BastionError(.invalidData, "\(entry.file.path) cannot be read", hint: "run `pgbastion runbook lint \(entry.file.path)`")
        }
        let page = RunbookMarkdown.page(runbook)
        return LocalOutcome(
            text: String(page.dropLast()), data: .record([("page", .string(page)), ("runbook", .string(entry.name))]), names: [entry.name])
    }
}

/// `pgbastion runbook lint [FILE...]`
struct RunbookLintCommand: LocalCommand {
    let definition = LocalCommandDefinition.runbookLint
    let sources: RunbookSources

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let library = try RunbookLibrary(sources.searching(arguments))
        var files = library.entries.map(\.file)
        if !arguments.list("files").isEmpty {
            files = []
            for path in arguments.list("files") { files.append(try sources.file(path)) }
        }
        var environment = LintEnvironment(runbooks: library.runbooks)
        // Files given together may call each other, wherever they are.
        for file in files {
            if let runbook = file.runbook { environment.runbooks[runbook.name] = runbook }
        }
        if let guide = arguments.text("guide") {
            environment.anchors = LintEnvironment.anchors(inMarkdown: String(decoding: try sources.read(guide), as: UTF8.self))
        }
        var findings: [RunbookDiagnostic] = []
        var texts: [String] = []
        for file in files {
            let isTest = file.path.hasSuffix(".test.yaml")
            let found = isTest ? testFindings(file, library) : RunbookLint.check(file.reading, file: file.path, in: environment).diagnostics
            findings += found
            texts += found.map { DiagnosticText.text($0, lines: file.lines) }
        }
        findings.sort(by: RunbookDiagnostic.inOrder)
        let summary = "\(files.count) file\(files.count == 1 ? "" : "s"): \(DiagnosticText.summary(findings))"
        let isGitHub = arguments.text("output") == "github"
        return LocalOutcome(
            text: isGitHub ? DiagnosticText.github(findings) : (texts + [summary]).joined(separator: "\n"),
            data: .record([("files", .number("\(files.count)")), ("findings", .array(findings.map { DiagnosticText.json($0) }))]),
            names: findings.map(\.rule.rawValue), exitStatus: status(findings, isStrict: arguments.flag("strict")))
    }

    /// Findings in a file of scenario tests: its form, and the names in it.
    private func testFindings(_ file: RunbookFile, _ library: RunbookLibrary) -> [RunbookDiagnostic] {
        let (tests, found) = TestFileReader.read(file.reading, file: file.path)
        guard let tests else { return found }
        let lint = TestFileLint(library: library.loaded) { name in
            let path = name.hasPrefix(BuiltinState.prefix) ? name : RunbookTestCommand.fixture(name, [file.path])
            do throws(BastionError) { return .success(try StateSource.document(path, sources)) } catch { return .failure(error) }
        }
        return (found + lint.findings(tests)).sorted(by: RunbookDiagnostic.inOrder)
    }

    private func status(_ findings: [RunbookDiagnostic], isStrict: Bool) -> Int32 {
        if findings.contains(where: { $0.severity == .error }) { return ErrorCode.invalidData.exitStatus }
        return isStrict && !findings.isEmpty ? 2 : 0
    }
}

/// `pgbastion runbook schema`
struct RunbookSchemaCommand: LocalCommand {
    let definition = LocalCommandDefinition.runbookSchema

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        SchemaOutcome.of(RunbookSchema.schema)
    }
}

/// `pgbastion state schema`
struct StateSchemaCommand: LocalCommand {
    let definition = LocalCommandDefinition.stateSchema

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        SchemaOutcome.of(SchemaReader.schema(of: StateDocument.self))
    }
}

private enum SchemaOutcome {
    static func of(_ schema: JSONValue) -> LocalOutcome {
        LocalOutcome(text: String(decoding: schema.bytes, as: UTF8.self), data: schema)
    }
}

/// `pgbastion state diff A B`
struct StateDiffCommand: LocalCommand {
    let definition = LocalCommandDefinition.stateDiff
    let sources: RunbookSources

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let before = try StateSource.document(arguments.text("before") ?? "", sources)
        let after = try StateSource.document(arguments.text("after") ?? "", sources)
        let changes = StateDifference.between(before, after)
        return LocalOutcome(
            text: changes.isEmpty ? "no difference" : changes.map(\.text).joined(separator: "\n"),
            data: .record([("changes", .array(changes.map(\.json)))]), names: changes.map(\.path))
    }
}

/// State documents that commands are given: a file, `-`less, or a built-in one.
package enum StateSource {
    /// - Throws: `not_found`; `invalid_data` for what is no state document, or has another major version.
    package static func document(_ name: String, _ sources: RunbookSources) throws(BastionError) -> JSONValue {
        if name.hasPrefix(BuiltinState.prefix) {
            if let builtin = BuiltinState(source: name) { return try builtin.document() }
            let names = BuiltinState.allCases.map { BuiltinState.prefix + $0.rawValue }
            throw BastionError(.notFound, "there is no state \"\(Excerpt.of(name))\"", hint: NameSuggestion.hint(for: name, among: names))
        }
        let bytes = try sources.read(name)
        var document: JSONValue
        do throws(BastionError) { document = try JSONParser.parse(bytes) } catch {
            throw BastionError(.invalidData, "\(name): \(error.message)")
        }
        // As `state export -o json` prints it.
        if document["format"] == nil, let data = document["data"] { document = data }
        try check(document, name)
        return document
    }

    private static func check(_ document: JSONValue, _ name: String) throws(BastionError) {
        guard document["format"]?.string == "pgbastion-state" else { throw BastionError(.invalidData, "\(name) is no state document") }
        guard let version = document["format_version"]?.string, version.hasPrefix("1.") else {
            throw BastionError(.invalidData, "\(name) has format version \(document["format_version"]?.string ?? "unknown"); 1 is known")
        }
        do throws(BastionError) { _ = try JSONText.decode(StateDocument.self, from: document.bytes) } catch {
            throw BastionError(.invalidData, "\(name) is no valid state document: \(error.message)", detail: error.detail)
        }
    }
}
