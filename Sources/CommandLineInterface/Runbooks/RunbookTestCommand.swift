import ClusterModel
import Operations
import Runbooks

/// `pgbastion runbook test`
package struct RunbookTestCommand: LocalCommand {
    package let definition = LocalCommandDefinition.runbookTest
    let sources: RunbookSources
    /// Carries out one case on a real throw-away cluster.
    let sandbox: @Sendable (TestCase, TestFile, [String: LoadedRunbook], Terminal) async -> CaseReport
    let write: @Sendable (String, String) throws(BastionError) -> Void

    package init(
        sources: RunbookSources, sandbox: @escaping @Sendable (TestCase, TestFile, [String: LoadedRunbook], Terminal) async -> CaseReport,
        write: @escaping @Sendable (String, String) throws(BastionError) -> Void
    ) {
        self.sources = sources
        self.sandbox = sandbox
        self.write = write
    }

    package func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let sources = searched(arguments)
        let library = try RunbookLibrary(sources)
        let loaded = library.loaded
        let paths = try testFiles(arguments, sources)
        var files: [TestFile] = []
        var findings: [RunbookDiagnostic] = []
        for path in paths {
            let (file, found) = TestFileReader.read(sources.parse(try sources.read(path)), file: path)
            findings += found
            if let file, arguments.text("only") == nil || file.runbook.value == arguments.text("only") { files.append(file) }
        }
        let load = { @Sendable (name: String) throws(BastionError) -> JSONValue in
            try StateSource.document(name.hasPrefix(BuiltinState.prefix) ? name : RunbookTestCommand.fixture(name, paths), sources)
        }
        let lint = TestFileLint(library: loaded) { name in
            do throws(BastionError) { return .success(try load(name)) } catch { return .failure(error) }
        }
        findings += files.flatMap { lint.findings($0) }
        if arguments.flag("coverage") {
            let shipped = Set(library.entries.filter { $0.file.path.contains("/usr/") || $0.file.path.contains("runbooks/") }.map(\.name))
            let names = Dictionary(library.entries.map { ($0.name, $0.file.path) }) { first, _ in first }
            findings += Coverage(library: loaded, tests: files, shipped: shipped, file: { names[$0] ?? $0 }).findings
        }
        let reports = await reports(files, TestRunner(library: loaded, loadState: load), arguments, terminal)
        return try outcome(reports, findings, arguments)
    }

    private func reports(
        _ files: [TestFile], _ runner: TestRunner, _ arguments: ParsedArguments, _ terminal: Terminal
    ) async -> [CaseReport] {
        let isSandbox = arguments.text("on") == "sandbox"
        var reports: [CaseReport] = []
        for file in files {
            for one in file.cases where isSandbox == (one.place == .sandbox) {
                let report = isSandbox ? await sandbox(one, file, runner.library, terminal) : await runner.run(one, of: file)
                reports.append(report)
                if isSandbox { terminal.note(report.text) }
            }
        }
        return reports
    }

    private func outcome(
        _ reports: [CaseReport], _ findings: [RunbookDiagnostic], _ arguments: ParsedArguments
    ) throws(BastionError) -> LocalOutcome {
        for report in arguments.list("report") {
            let (format, path) = try ReportTarget.parse(report)
            try write(CaseReports.text(reports, findings: findings, format), path)
        }
        let failed = reports.filter { $0.outcome == .failed }
        let hasErrors = findings.contains { $0.severity == .error }
        let texts =
            findings.sorted(by: RunbookDiagnostic.inOrder).map {
                "\($0.file):\($0.at.start.line):\($0.at.start.column): \($0.severity.rawValue)[\($0.rule.rawValue)]: \($0.message)"
            }
            + failed.map(\.text) + [CaseReports.summary(reports)]
        let status = !failed.isEmpty || hasErrors ? ErrorCode.failed.exitStatus : 0
        return LocalOutcome(
            text: texts.joined(separator: "\n"), data: CaseReports.json(reports), names: failed.map { "\($0.runbook): \($0.name)" },
            exitStatus: status)
    }

    /// A directory that is given holds runbooks as well.
    private func searched(_ arguments: ParsedArguments) -> RunbookSources {
        var sources = sources
        sources.prefer(arguments.list("paths").filter { !$0.hasSuffix(".yaml") })
        return sources.searching(arguments)
    }

    /// Files as given, those of directories and of their `tests`, or those beside the runbooks.
    private func testFiles(_ arguments: ParsedArguments, _ sources: RunbookSources) throws(BastionError) -> [String] {
        var paths = arguments.list("paths")
        if paths.isEmpty { paths = sources.directories.map { "\($0)/tests" } }
        let files = paths.flatMap { path -> [String] in
            if path.hasSuffix(".yaml") { return [path] }
            return [path, "\(path)/tests"].flatMap { folder in
                sources.list(folder).filter { $0.hasSuffix(".test.yaml") }.sorted().map { "\(folder)/\($0)" }
            }
        }
        guard !files.isEmpty else {
            throw BastionError(.notFound, "no test files were found", detail: "Searched: \(paths.joined(separator: ", ")).")
        }
        return files
    }

    /// A fixture is named from the directory above the test files'.
    static func fixture(_ name: String, _ tests: [String]) -> String {
        guard !name.hasPrefix("/"), let first = tests.first else { return name }
        let parts = first.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        return parts.isEmpty ? name : (parts + [Substring(name)]).joined(separator: "/")
    }
}

/// `FORMAT=FILE` of `--report`.
package enum ReportTarget {
    package static func parse(_ text: String) throws(BastionError) -> (format: RunReport.Format, path: String) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let format = RunReport.Format(rawValue: parts[0]), !parts[1].isEmpty else {
            throw BastionError(
                .usage, "--report \"\(text)\" is not FORMAT=FILE",
                hint: "formats: \(RunReport.Format.allCases.map(\.rawValue).joined(separator: ", ")); - is standard output")
        }
        return (format, parts[1])
    }
}

extension RunbookLibrary {
    /// What can be run: every runbook whose form is right.
    package var loaded: [String: LoadedRunbook] {
        var loaded: [String: LoadedRunbook] = [:]
        for entry in entries where !entry.file.hasErrors {
            guard let runbook = entry.file.runbook else { continue }
            loaded[entry.name] = LoadedRunbook(runbook: runbook, sha256: SHA256.hex(entry.file.bytes))
        }
        return loaded
    }

    /// - Throws: `not_found`; `invalid_data` for a runbook with errors.
    package func requireLoaded(_ name: String) throws(BastionError) -> LoadedRunbook {
        let entry = try require(name)
        if let loaded = loaded[entry.name] { return loaded }
        let first = entry.file.diagnostics.first { $0.severity == .error }
        throw BastionError(
            .invalidData, "runbook \"\(name)\" cannot be run: \(first?.message ?? "it has no name or no risk")",
            detail: first.map { "\(entry.file.path):\($0.at.start.line):\($0.at.start.column): \($0.rule.rawValue)" },
            hint: "run `pgbastion runbook lint \(entry.file.path)`")
    }
}
