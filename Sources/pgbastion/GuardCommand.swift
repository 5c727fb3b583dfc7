import Bastion
import ClusterModel
import Glibc

/// The hidden subcommand `guard`: synchronous, on the main thread, without Swift concurrency.
enum GuardCommand {
    static func run(_ arguments: [String]) -> Never {
        do throws(BastionError) {
            try GuardEntry.run(arguments)
        } catch {
            fputs("pgbastion: error: \(error)\n", stderrStream())
            exit(error.code.exitStatus)
        }
    }
}

/// `stderr` is a mutable global in Glibc's module.
private func stderrStream() -> UnsafeMutablePointer<FILE> {
    guard let stream = fdopen(STDERR_FILENO, "w") else { exit(ErrorCode.internal.exitStatus) }
    return stream
}
