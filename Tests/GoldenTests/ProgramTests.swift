import FoundationEssentials
import Glibc
import Testing

/// The built program: only it knows the routes, the keys of the configuration file, and the commands it really has.
@Suite(.enabled(if: Program.path != nil, "the program is built by `swift build`")) struct ProgramTests {
    @Test(arguments: [
        ("man", "docs/man"), ("markdown", "docs/reference"), ("schemas", "docs/reference/schemas"), ("openapi", "docs/reference"),
    ])
    func `the reference in the repository is what the program writes`(form: String, folder: String) throws {
        let scratch = try Scratch.folder()
        defer { Scratch.remove(scratch) }
        let written = try Program.run(["docs", form, "--out", scratch])
        try #require(written.status == 0, "\(written.errors)")
        for name in try FileManager.default.contentsOfDirectory(atPath: scratch) {
            let text = String(decoding: FileManager.default.contents(atPath: "\(scratch)/\(name)") ?? Data(), as: UTF8.self)
            #expect(text == Golden.text(repositoryFile: "\(folder)/\(name)"), "\(folder)/\(name) differs; repair it with `make docs`")
        }
    }

    @Test(arguments: [("bash", "pgbastion.bash"), ("zsh", "_pgbastion"), ("fish", "pgbastion.fish")])
    func `the completion scripts are what the program writes`(shell: String, file: String) throws {
        let written = try Program.run(["completions", shell])
        #expect(written.status == 0)
        #expect(written.output == Golden.text(repositoryFile: "completions/\(file)"), "\(file) differs; repair it with `make docs`")
    }

    @Test func `without a daemon a command is 5, and completion says nothing`() throws {
        let none = try Program.run(["status", "--addr", "http://127.0.0.1:1", "-o", "json"])
        #expect(none.status == 5 && none.errors.isEmpty, "\(none)")
        let names = try Program.run(["__complete", "nodes", "status", "--addr", "http://127.0.0.1:1"])
        #expect(names.status == 0 && names.output.isEmpty && names.errors.isEmpty, "\(names)")
    }
}

/// The binary beside the test bundle, or what `PGBASTION_BINARY` names.
enum Program {
    static let path: String? = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let beside = "/" + own.split(separator: "/").dropLast().joined(separator: "/") + "/pgbastion"
        let named = ProcessInfo.processInfo.environment["PGBASTION_BINARY"]
        return [named, beside].compactMap { $0 }.first { access($0, X_OK) == 0 }
    }()

    static func run(_ arguments: [String]) throws -> Shell.Outcome {
        try Shell.run([path ?? "pgbastion"] + arguments, environment: ["PATH": "/usr/bin:/bin", "HOME": "/nowhere"])
    }
}
