import ClusterModel
import Crypto
import Glibc

/// An archive file, opened once: every pass reads through the same descriptor, so nobody can swap the file in between.
package final class ArchiveFile: Sendable {
    package let path: String
    package let size: Int64
    private let descriptor: Int32

    /// - Throws: `.notFound`; `.invalidData` for a link or anything else that is not a regular file; `.io`.
    package init(path: String) throws(BastionError) {
        // O_NONBLOCK: a FIFO in the place of a file must not hang the reader.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw BastionError(.notFound, "there is no archive \"\(path)\"") }
            if errno == ELOOP { throw ArchiveFile.notRegular(path) }
            throw RepositoryFile.failure("open", path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ArchiveFile.notRegular(path)
        }
        self.descriptor = descriptor
        self.path = path
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Fills as much of `buffer` as there is from `offset` on; 0 at the end.
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(BastionError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw RepositoryFile.failure("read", path) }
            return count
        }
    }

    /// The hash of the file as it is now, in 64 hexadecimal digits.
    package func sha256() throws(BastionError) -> String {
        var hash = Crypto.SHA256()
        try readAll { piece in hash.update(bufferPointer: piece) }
        return HexDigest.text(hash.finalize())
    }

    func bytes(at offset: Int64, count: Int) throws(BastionError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            var outcome = Result<Int, BastionError>.success(0)
            bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                outcome = Result { () throws(BastionError) in try read(rest, at: offset + Int64(filled)) }
            }
            let got = try outcome.get()
            guard got > 0 else { break }
            filled += got
        }
        return Array(bytes[..<filled])
    }

    func readAll(_ body: (UnsafeRawBufferPointer) throws(BastionError) -> Void) throws(BastionError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try read(buffer, at: offset)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
    }

    private static func notRegular(_ path: String) -> BastionError {
        BastionError(.invalidData, "\"\(path)\" is not an archive", detail: "it is not a regular file")
    }
}
