import FoundationEssentials
import Glibc
import PostgresTestKit
import Synchronization

/// A command on this system, run to its end, with its output.
enum Command {
    struct Result: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    private static let counter = Atomic<Int>(0)

    static func run(_ arguments: [String], environment: [String: String] = [:], limit: Duration = .seconds(120)) -> Result {
        let number = counter.add(1, ordering: .relaxed).newValue
        let stem = "/tmp/pgbastion-guide-\(getpid())-\(number)"
        defer {
            unlink(stem + ".out")
            unlink(stem + ".err")
        }
        var variables = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "dumb",
        ]
        variables.merge(environment) { _, new in new }
        let redirecting = ["/bin/bash", "-c", "exec 2>\"$0\"; exec \"$@\"", stem + ".err"] + arguments
        let process = TestProcess.start(
            redirecting, environment: variables.map { "\($0)=\($1)" }.sorted(), logFile: stem + ".out")
        var status = process.waitForExit(within: limit)
        if status == nil {
            kill(-process.pid, SIGKILL)
            _ = process.waitForExit()
            status = -1
        }
        return Result(status: status ?? -1, output: text(stem + ".out"), errors: text(stem + ".err"))
    }

    static func text(_ path: String) -> String {
        guard access(path, R_OK) == 0 else { return "" }
        do { return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) } catch { return "" }
    }
}

struct GuideFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

func hold(_ condition: Bool, _ message: @autoclosure () throws -> String) throws {
    guard condition else { throw GuideFailure(try message()) }
}

/// Waits for a condition with a deadline; an error inside counts as "not yet".
func eventually(_ what: String, seconds: Int = 60, _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    var last = ""
    repeat {
        do {
            if try condition() { return }
        } catch {
            last = "; last error: \(error)"
        }
        poll(nil, 0, 200)
    } while ContinuousClock.now < end
    throw GuideFailure("not within \(seconds) s: \(what)\(last)")
}

extension String {
    var trimmed: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        return String(rest)
    }
}
