import CLinux
import ClusterModel
import FoundationEssentials
import Glibc

/// Small text files, read and written whole, and directories.
enum TextFiles {
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
