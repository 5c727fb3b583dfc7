import ClusterModel
import Crypto
import Glibc

/// Bytes that are written once and then read as often as needed: in memory while they are few, behind that in a file that
/// has no name.
///
/// Safety: filled by one caller; from `finish` on nothing changes any more, and every read names its place.
package final class Spool: @unchecked Sendable {
    /// Limit: bytes kept in memory; the format allows 32 MiB.
    package static let memoryLimit = 8 << 20
    static let pieceBytes = 1 << 18

    private let folder: String
    private let limit: Int
    private var memory: [UInt8] = []
    private var descriptor: Int32 = -1
    private var hash = Crypto.SHA256()
    private var finished: String?
    package private(set) var size: Int64 = 0

    /// - Parameter folder: Where the file is made when there is much to keep.
    package init(folder: String, memoryLimit: Int = Spool.memoryLimit) {
        self.folder = folder
        limit = memoryLimit
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// 64 hexadecimal digits; whatever is appended later is a defect.
    package var sha256: String {
        if let finished { return finished }
        let digest = HexDigest.text(hash.finalize())
        finished = digest
        return digest
    }

    package func append(_ piece: UnsafeRawBufferPointer) throws(BastionError) {
        precondition(finished == nil, "a spool that was read is appended to")
        hash.update(bufferPointer: piece)
        size += Int64(piece.count)
        if descriptor < 0, memory.count + piece.count <= limit { return memory.append(contentsOf: piece) }
        if descriptor < 0 {
            try makeFile()
            var outcome = Result<Void, BastionError>.success(())
            memory.withUnsafeBytes { held in
                outcome = Result { () throws(BastionError) in try RepositoryFile.write(descriptor, held, folder) }
            }
            try outcome.get()
            memory = []
        }
        try RepositoryFile.write(descriptor, piece, folder)
    }

    package func append(_ bytes: [UInt8]) throws(BastionError) {
        var outcome = Result<Void, BastionError>.success(())
        bytes.withUnsafeBytes { piece in outcome = Result { () throws(BastionError) in try append(piece) } }
        try outcome.get()
    }

    /// At most `count` bytes from `offset` on; empty at the end.
    package func bytes(at offset: Int64, count: Int = Spool.pieceBytes) throws(BastionError) -> [UInt8] {
        let wanted = Int(min(Int64(count), size - offset))
        guard wanted > 0 else { return [] }
        guard descriptor >= 0 else { return Array(memory[Int(offset)..<Int(offset) + wanted]) }
        var piece = [UInt8](repeating: 0, count: wanted)
        let read = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
        guard read > 0 else { throw RepositoryFile.failure("read a temporary file in", folder) }
        return read == wanted ? piece : Array(piece[..<read])
    }

    /// Hands everything to `body`, piece by piece.
    package func forEach(_ body: ([UInt8]) throws(BastionError) -> Void) throws(BastionError) {
        var offset: Int64 = 0
        while offset < size {
            let piece = try bytes(at: offset)
            try body(piece)
            offset += Int64(piece.count)
        }
    }

    private func makeFile() throws(BastionError) {
        var template = Array("\(folder)/.pgbastion-spool-XXXXXX".utf8CString)
        descriptor = template.withUnsafeMutableBufferPointer { $0.baseAddress.map { mkstemp($0) } ?? -1 }
        guard descriptor >= 0 else { throw RepositoryFile.failure("make a temporary file in", folder) }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
}

/// The content of one member of an archive.
package enum MemberBody: Sendable {
    case bytes([UInt8])
    case spool(Spool)

    package var size: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .spool(let spool): spool.size
        }
    }

    package var sha256: String {
        switch self {
        case .bytes(let bytes): HexDigest.of(bytes)
        case .spool(let spool): spool.sha256
        }
    }

    package func forEach(_ body: ([UInt8]) throws(BastionError) -> Void) throws(BastionError) {
        switch self {
        case .bytes(let bytes): try body(bytes)
        case .spool(let spool): try spool.forEach(body)
        }
    }
}
