import CLinux
import ClusterModel
import FoundationEssentials
import Glibc

/// Small files of a sandbox, read and written whole.
enum SandboxFiles {
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws(BastionError) {
        let bytes = Array(text.utf8)
        guard bytes.withUnsafeBytes({ pgb_write_durably(path, $0.baseAddress, $0.count, mode) }) == 0 else {
            throw BastionError(.io, "could not write \"\(path)\"", detail: String(cString: strerror(errno)))
        }
    }

    static func read(_ path: String) -> String? {
        guard access(path, R_OK) == 0 else { return nil }
        do { return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) } catch { return nil }
    }

    static func save(_ layout: SandboxLayout) throws(BastionError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        do { try write(String(decoding: encoder.encode(layout), as: UTF8.self), to: SandboxLayout.file(layout.directory)) } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.internal, "the sandbox cannot be described", detail: "\(error)")
        }
    }

    static func load(_ directory: String) throws(BastionError) -> SandboxLayout {
        guard let text = read(SandboxLayout.file(directory)) else {
            throw BastionError(
                .notFound, "there is no sandbox in \"\(directory)\"", hint: "start one with `pgbastion sandbox start`")
        }
        do { return try JSONDecoder().decode(SandboxLayout.self, from: Data(text.utf8)) } catch {
            throw BastionError(.invalidData, "\"\(SandboxLayout.file(directory))\" cannot be read", detail: "\(error)")
        }
    }

    /// The newest PostgreSQL of Debian's layout.
    static func binDirectory() throws(BastionError) -> String {
        let root = "/usr/lib/postgresql"
        let versions = entries(root).compactMap { Int($0) }.sorted(by: >)
        guard let newest = versions.first(where: { access("\(root)/\($0)/bin/postgres", X_OK) == 0 }) else {
            throw BastionError(
                .invalidConfiguration, "PostgreSQL's programs were not found below \(root)",
                hint: "install them: apt-get install postgresql")
        }
        return "\(root)/\(newest)/bin"
    }

    static func entries(_ directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func removeTree(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in entries(path) { removeTree("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
