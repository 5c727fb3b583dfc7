import ClusterModel
import Glibc
import Subprocess

/// How a program ended: its status and the last lines it wrote.
struct ProgramResult: Sendable {
    var succeeded: Bool
    var status: String
    var lines: [String]
    var text: String { lines.joined(separator: "\n") }

    func error(_ what: String, code: ErrorCode = .failed) -> BastionError {
        // Errors first: progress and clean-up may follow them.
        let errors = lines.filter { line in ["error:", "ERROR:", "FATAL:"].contains { line.contains($0) } }
        let tail = (errors.isEmpty ? lines : errors).suffix(4).joined(separator: "; ")
        return BastionError(code, what, detail: tail.isEmpty ? status : tail)
    }
}

/// Runs PostgreSQL's programs with argument vectors, never through a shell.
struct ProgramRunner: Sendable {
    /// Limit: lines kept of one program; older ones are dropped.
    static let keptLines = 400
    /// No password, and no look into the home directory. A missing file is silent; any other kind makes libpq print.
    static let noPassfile = "/nonexistent/passfile"
    let binDirectory: String

    /// - Parameter onLine: Called for each line; an error it throws ends the program.
    func run(
        _ name: String, _ arguments: [String], passfile: String? = nil, within limit: Duration? = nil,
        onLine: (@Sendable (String) throws(BastionError) -> Void)? = nil
    ) async throws(BastionError) -> ProgramResult {
        let path = binDirectory + "/" + name
        guard access(path, X_OK) == 0 else {
            throw BastionError(
                .invalidConfiguration, "could not find PostgreSQL's program \"\(path)\"",
                hint: "set `postgresql.bin_dir` to the directory of the installed version")
        }
        do {
            return try await execute(name, arguments, passfile, limit, onLine)
        } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.failed, "could not run \"\(name)\"", detail: "\(error)")
        }
    }

    private func execute(
        _ name: String, _ arguments: [String], _ passfile: String?, _ limit: Duration?,
        _ onLine: (@Sendable (String) throws(BastionError) -> Void)?
    ) async throws -> ProgramResult {
        var options = PlatformOptions()
        options.processGroupID = 0
        let result = try await Subprocess.run(
            .name(name), arguments: Arguments(arguments), environment: environment(passfile), platformOptions: options,
            input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            let timer = limit.map { limit in
                Task {
                    try await Task.sleep(for: limit)
                    try execution.send(signal: .kill, toProcessGroup: true)
                }
            }
            defer { timer?.cancel() }
            var kept: [String] = []
            do {
                for try await line in execution.standardOutput.strings() {
                    try onLine?(line)
                    kept.append(line)
                    if kept.count > ProgramRunner.keptLines { kept.removeFirst(ProgramRunner.keptLines / 2) }
                }
            } catch {
                try execution.send(signal: .kill, toProcessGroup: true)
                throw error
            }
            return kept
        }
        return ProgramResult(
            succeeded: result.terminationStatus.isSuccess, status: "\(name): \(result.terminationStatus)",
            lines: result.closureResult.map { $0.trimmedLine }.filter { !$0.isEmpty })
    }

    /// Nothing is inherited but what a program needs. `LC_ALL=C`: their output is read.
    private func environment(_ passfile: String?) -> Environment {
        var values: [Environment.Key: String] = ["PATH": "\(binDirectory):/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]
        values["PGPASSFILE"] = passfile ?? ProgramRunner.noPassfile
        return .custom(values)
    }
}

extension String {
    var trimmedLine: String {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
