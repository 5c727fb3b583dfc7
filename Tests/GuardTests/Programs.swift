import CLinux
import ClusterModel
import Glibc
import Synchronization

@testable import Guard

/// PostgreSQL's programs, as the user they accept.
enum Programs {
    static let environment = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/"]

    /// The directory of the newest PostgreSQL installed.
    static let binaries: String? = (9...30).reversed().lazy
        .map { "/usr/lib/postgresql/\($0)/bin" }
        .first { access($0 + "/postgres", X_OK) == 0 }

    static func postgres(_ name: String) -> String {
        guard let binaries else { preconditionFailure("the tests of the guard need PostgreSQL") }
        return binaries + "/" + name
    }

    /// A data directory made once per run of the tests, to be copied.
    static let template: Result<String, BastionError> = {
        do throws(BastionError) {
            let directory = try makeDirectory()
            let path = directory + "/template"
            try runAsServerUser(
                postgres("initdb"), ["-D", path, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions"])
            removeAtExit(directory)
            return .success(path)
        } catch {
            return .failure(error)
        }
    }()

    private static let left = Mutex<[String]>([])

    private static func removeAtExit(_ path: String) {
        left.withLock { $0.append(path) }
        atexit {
            for path in Programs.left.withLock({ $0 }) {
                do { try Programs.run("/bin/rm", ["-rf", path]) } catch { continue }
            }
        }
    }

    /// A new directory the server's user may write in; short, since a socket's path has 107 characters at most.
    static func makeDirectory() throws(BastionError) -> String {
        var name = Array("/tmp/guard-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw BastionError(.io, "could not make a directory") }
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if geteuid() == 0, let user = getpwnam("postgres") { _ = chown(path, user.pointee.pw_uid, user.pointee.pw_gid) }
        return path
    }

    static func asServerUser(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        guard geteuid() == 0 else { return (program, arguments) }
        return ("/usr/bin/setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program] + arguments)
    }

    @discardableResult
    static func runAsServerUser(_ program: String, _ arguments: [String]) throws(BastionError) -> String {
        let command = asServerUser(program, arguments)
        return try run(command.program, command.arguments)
    }

    /// Runs a program to its end and returns what it wrote.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) throws(BastionError) -> String {
        var name = Array("/tmp/guard-output-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(descriptor)
            unlink(path)
        }
        let pid = SpawnRequest(
            program: program, arguments: arguments, environment: environment, directory: "/", logFile: path
        ).withPointer { pgb_spawn($0) }
        var status: Int32 = 0
        guard pid > 0, waitpid(pid, &status, 0) == pid else {
            throw BastionError(.failed, "could not run \"\(program)\"")
        }
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = max(pread(descriptor, &bytes, bytes.count, 0), 0)
        var output = String(decoding: bytes[..<count], as: UTF8.self)
        while output.last?.isNewline == true { output.removeLast() }
        guard status == 0 else { throw BastionError(.failed, "\"\(program)\" failed", detail: output) }
        return output
    }
}
