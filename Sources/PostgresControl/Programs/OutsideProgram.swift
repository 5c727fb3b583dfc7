import ClusterModel

/// A program that is only asked something: what it printed.
package enum OutsideProgram {
    /// nil when it could not be started, failed, or took longer than `limit`.
    package static func output(_ path: String, _ arguments: [String], within limit: Duration = .seconds(5)) async -> String? {
        await run(path, arguments, limit).flatMap { $0.succeeded ? $0.text : nil }
    }

    /// What it printed, also when it says that something is wrong.
    package static func text(_ path: String, _ arguments: [String], within limit: Duration = .seconds(5)) async -> String? {
        await run(path, arguments, limit)?.text
    }

    private static func run(_ path: String, _ arguments: [String], _ limit: Duration) async -> ProgramResult? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let runner = ProgramRunner(binDirectory: String(path[..<slash]))
        do throws(BastionError) {
            return try await runner.run(String(path[path.index(after: slash)...]), arguments, within: limit)
        } catch {
            return nil
        }
    }
}
