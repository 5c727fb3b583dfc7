import FoundationEssentials
import Glibc
import PostgresTestKit
import Synchronization

/// Shell commands as an operator types them, with their output.
enum Shell {
    struct Result: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    private static let counter = Atomic<Int>(0)

    static func run(_ script: String, environment: [String: String] = [:], limit: Duration = .seconds(60)) -> Result {
        let number = counter.add(1, ordering: .relaxed).newValue
        let stem = "/tmp/pgbastion-test-\(getpid())-shell-\(number)"
        defer {
            unlink(stem + ".out")
            unlink(stem + ".err")
        }
        var variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/tmp", "TERM": "dumb"]
        variables.merge(environment) { _, new in new }
        let process = TestProcess.start(
            ["/bin/bash", "-c", "set -o pipefail; exec 2>'\(stem).err'; \(script)"],
            environment: variables.map { "\($0)=\($1)" }.sorted(), logFile: stem + ".out")
        var status = process.waitForExit(within: limit)
        if status == nil {
            kill(-process.pid, SIGKILL)
            _ = process.waitForExit()
            status = -1
        }
        return Result(status: status ?? -1, output: text(stem + ".out"), errors: text(stem + ".err"))
    }

    /// One value of a JSON text, as `jq -r` prints it.
    static func jq(_ filter: String, _ json: String) throws -> String {
        let result = run("jq -r '\(filter)' <<< \"$DOCUMENT\"", environment: ["DOCUMENT": json])
        guard result.status == 0 else { throw ScenarioFailure("jq '\(filter)' failed: \(result.errors) for \(json)") }
        return result.output.trimmed
    }

    static func text(_ path: String) -> String {
        guard access(path, R_OK) == 0 else { return "" }
        do { return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) } catch { return "" }
    }
}

extension String {
    var trimmed: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        return String(rest)
    }
}
