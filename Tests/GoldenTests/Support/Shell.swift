import FoundationEssentials
import Glibc

/// Runs a program to its end; what it starts ends with it.
enum Shell {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }
    struct CannotRun: Error { var program: String }

    /// - Parameter arguments: The program, searched in PATH, and its arguments.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String]? = nil, folder: String? = nil
    ) throws -> Outcome {
        let scratch = try Scratch.folder()
        defer { Scratch.remove(scratch) }
        try Data(input.utf8).write(to: URL(filePath: scratch + "/in"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, scratch + "/in", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, scratch + "/out", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, scratch + "/err", O_WRONLY | O_CREAT, 0o600)
        let line = folder.map { ["env", "-C", $0] + arguments } ?? arguments
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
        let variables = environment ?? ProcessInfo.processInfo.environment
        var pairs: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + pairs { free(text) } }
        var process: pid_t = 0
        guard posix_spawnp(&process, line[0], &actions, nil, &words, &pairs) == 0 else {
            throw CannotRun(program: arguments[0])
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
        func text(_ name: String) -> String {
            String(decoding: FileManager.default.contents(atPath: scratch + "/" + name) ?? Data(), as: UTF8.self)
        }
        return Outcome(status: code, output: text("out"), errors: text("err"))
    }
}

/// A folder of a test's own.
enum Scratch {
    static func folder() throws -> String {
        var template = Array("/tmp/pgbastion-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Shell.CannotRun(program: "mkdtemp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func remove(_ folder: String) {
        do { try FileManager.default.removeItem(atPath: folder) } catch { return }
    }
}
