import ClusterModel
import Operations

/// A backup of the directory that is about to be replaced, in a series of its own (7.2, step 1).
enum SafetyBackup {
    struct Outcome: Sendable {
        var archive: String?
        var warnings: [String]
    }

    /// Best effort: the directory itself is kept beside the new one in any case.
    static func make(_ site: RecoverySite, series: String) async -> Outcome {
        let commands = BackupCommands(
            configurationPath: site.configurationPath,
            connect: { () throws(BastionError) in throw BastionError(.unavailable, "no daemon runs here") }, note: { _ in })
        let input = JSONValue.object([
            .init(name: "offline", value: .bool(true)), .init(name: "no_prune", value: .bool(true)),
            .init(name: "series", value: .string(series)), .init(name: "data_dir", value: .string(site.directory)),
        ])
        do throws(BastionError) {
            let answer = try await commands.run("backup.create", input: input)
            return Outcome(archive: answer.data["id"]?.string, warnings: [])
        } catch {
            let why = [error.message, error.detail].compactMap { $0 }.joined(separator: ": ")
            return Outcome(archive: nil, warnings: ["no safety backup was made: \(why)"])
        }
    }
}
