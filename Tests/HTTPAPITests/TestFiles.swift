import Glibc

/// A directory of a test's own, with files in it.
struct TestFiles {
    struct Failure: Error {}
    private let directory: String
    private let names: [String]

    init(_ contents: [String: String]) throws {
        var template = Array("/tmp/pgbastion-api-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        names = contents.keys.sorted()
        for (name, text) in contents { try write(name, text) }
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    func write(_ name: String, _ text: String) throws {
        guard let file = fopen(path(name), "w") else { throw Failure() }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw Failure() }
    }

    func remove() {
        for name in names { unlink(path(name)) }
        rmdir(directory)
    }
}
