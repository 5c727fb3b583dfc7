import ClusterModel
import Glibc

/// Files in one archive that is no backup: the same writer, without the closed set of paths.
package struct FileBundle {
    package struct Member: Sendable {
        /// Below the folder of the bundle, at most 60 bytes.
        package var path: String
        package var bytes: [UInt8]

        package init(_ path: String, _ bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }

        /// 64 hexadecimal digits.
        package var sha256: String { MemberBody.bytes(bytes).sha256 }
    }

    package var folder: String
    package var createdAt: ArchiveTime
    package var members: [Member]

    package init(folder: String, createdAt: ArchiveTime, members: [Member]) {
        self.folder = folder
        self.createdAt = createdAt
        self.members = members
    }

    /// A new file with mode 0600; it has its name only when it is complete and on disk.
    ///
    /// - Returns: Its size in bytes.
    /// - Throws: `.io`, also when there is a file of this name; nothing is left behind then.
    package func store(at path: String) throws(BastionError) -> Int64 {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard access(path, F_OK) != 0 else { throw FileBundle.taken(path) }
        let partial = "\(directory)/.\(name).partial-\(getpid())"
        let size = Count()
        try RepositoryFile.create(partial) { (descriptor) throws(BastionError) in
            let files = members.map { ("\(folder)/\($0.path)", MemberBody.bytes($0.bytes)) }
            try ArchiveWriter.write(files, time: createdAt) { (piece) throws(BastionError) in
                size.bytes += Int64(piece.count)
                try RepositoryFile.write(descriptor, piece, partial)
            }
        }
        do throws(BastionError) {
            guard try RepositoryFile.move(partial, to: path) else { throw FileBundle.taken(path) }
            try RepositoryFile.sync(directory)
        } catch {
            unlink(partial)
            throw error
        }
        return size.bytes
    }

    private final class Count {
        var bytes: Int64 = 0
    }

    private static func taken(_ path: String) -> BastionError {
        BastionError(.io, "could not write \"\(path)\"", detail: "there is a file of this name", hint: "give another name with --out")
    }
}
