import ClusterModel
import FoundationEssentials
import Glibc
import Synchronization

/// Small file operations whose effect survives a crash of the machine once they returned.
enum DurableFiles {
    private static let counter = Atomic<UInt64>(0)

    /// Writes a file completely or not at all: temporary file, fsync, rename, fsync of the directory.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws(BastionError) {
        // Two writers of one file do not disturb each other: the last rename wins.
        let temporary = "\(path).new\(counter.wrappingAdd(1, ordering: .relaxed).newValue)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("could not create", temporary) }
        defer { close(file) }
        fchmod(file, mode)
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure("could not write", temporary) }
            bytes = bytes.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw failure("could not flush", temporary) }
        try move(temporary, to: path)
    }

    /// Like `write`, but leaves a file alone that has this content already.
    static func update(_ text: String, at path: String, mode: mode_t = 0o600) throws(BastionError) {
        if try read(path) == text { return }
        try write(text, to: path, mode: mode)
    }

    /// nil when there is no such file.
    static func read(_ path: String) throws(BastionError) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("could not open", path)
        }
        defer { close(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count >= 0 else { throw failure("could not read", path) }
            if count == 0 { return String(decoding: content, as: UTF8.self) }
            content += chunk[..<count]
        }
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Removes a file; a missing one is no error.
    static func remove(_ path: String) throws(BastionError) {
        guard unlink(path) == 0 else {
            if errno == ENOENT { return }
            throw failure("could not remove", path)
        }
        try flushDirectory(parent(of: path))
    }

    static func move(_ from: String, to target: String) throws(BastionError) {
        guard rename(from, target) == 0 else { throw failure("could not rename \"\(from)\" to", target) }
        try flushDirectory(parent(of: target))
    }

    static func flushDirectory(_ path: String) throws(BastionError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("could not open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("could not flush", path) }
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(BastionError) {
        if mkdir(path, mode) == 0 { return try flushDirectory(parent(of: path)) }
        guard errno == ENOENT else {
            if errno == EEXIST { return }
            throw failure("could not make", path)
        }
        try makeDirectory(parent(of: path), mode: 0o755)
        try makeDirectory(path, mode: mode)
    }

    /// Names without `.` and `..`, sorted; nil when there is no such directory.
    static func list(_ path: String) throws(BastionError) -> [String]? {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return nil }
            throw failure("could not list", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Counted, not read: how many files there are, and the directories to look into. A directory that vanished has nothing.
    static func entries(_ path: String) -> (files: Int, directories: [String]) {
        guard let directory = opendir(path) else { return (0, []) }
        defer { closedir(directory) }
        var files = 0
        var directories: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            if Int32(entry.pointee.d_type) == Int32(DT_DIR) { directories.append(path + "/" + name) } else { files += 1 }
        }
        return (files, directories)
    }

    static func removeTree(_ path: String) throws(BastionError) {
        guard exists(path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw BastionError(.io, "could not remove \"\(path)\"", detail: "\(error)")
        }
    }

    static func copy(_ from: String, to target: String) throws(BastionError) {
        do {
            if exists(target) { try FileManager.default.removeItem(atPath: target) }
            try FileManager.default.copyItem(atPath: from, toPath: target)
        } catch {
            throw BastionError(.io, "could not copy \"\(from)\"", detail: "\(error)")
        }
        let file = open(target, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("could not open", target) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("could not flush", target) }
    }

    static func freeBytes(at path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

    static func failure(_ what: String, _ path: String) -> BastionError {
        let reason = String(cString: strerror(errno))
        return BastionError(.io, "\(what) \"\(path)\"", detail: reason)
    }
}
