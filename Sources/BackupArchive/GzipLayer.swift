import CLibArchive
import ClusterModel
import Crypto
import Glibc

/// The outer layer: file to tar stream, with everything libarchive does not check about gzip.
///
/// libarchive accepts a wrong checksum and bytes behind the end, so header, checksum, length and the number of bytes
/// consumed are compared here.
final class GzipLayer {
    /// What the writer's settings always give: no name, no time, best compression, Unix.
    static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]
    /// Limit: bytes of the decompressed stream.
    static let maximumBytes: Int64 = 5 << 30

    private let file: ArchiveFile
    private let archive: OpaquePointer
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var offset: Int64 = 0
    private var hash = Crypto.SHA256()
    private var checksum = CRC32()
    private(set) var length: Int64 = 0
    private var failure: BastionError?

    init(_ file: ArchiveFile) throws(BastionError) {
        guard let archive = archive_read_new() else { throw LibArchive.noMemory }
        self.file = file
        self.archive = archive
    }

    deinit {
        archive_read_free(archive)
        input.deallocate()
    }

    func open() throws(BastionError) {
        try checkStart()
        try LibArchive.check(archive_read_support_filter_gzip(archive), archive)
        try LibArchive.check(archive_read_support_format_raw(archive), archive)
        let result = archive_read_open(
            archive, Unmanaged.passUnretained(self).toOpaque(), nil,
            { _, context, bytes in
                guard let context else { return -1 }
                return Unmanaged<GzipLayer>.fromOpaque(context).takeUnretainedValue().supply(bytes)
            }, nil)
        try LibArchive.check(result, archive)
        var entry: OpaquePointer?
        let header = archive_read_next_header(archive, &entry)
        if let failure { throw failure }
        guard header != ARCHIVE_EOF else { throw damaged("it holds nothing") }
        try LibArchive.check(header, archive)
        // One gzip and the file itself.
        guard archive_filter_count(archive) == 2, archive_filter_code(archive, 0) == ARCHIVE_FILTER_GZIP else {
            throw damaged("it is compressed in another way")
        }
    }

    /// The next bytes of the tar stream; 0 at the end.
    func read(_ buffer: UnsafeMutableRawBufferPointer) throws(BastionError) -> Int {
        let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
        if let failure { throw failure }
        guard count >= 0 else { throw LibArchive.failure(archive) }
        length += Int64(count)
        guard length <= GzipLayer.maximumBytes else { throw damaged("it grows beyond \(GzipLayer.maximumBytes) bytes") }
        checksum.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    /// Call after `read` returned 0.
    /// - Returns: The hash of the whole file, in 64 hexadecimal digits.
    func finish() throws(BastionError) -> String {
        guard archive_filter_bytes(archive, -1) == file.size else { throw damaged("bytes follow its end") }
        let trailer = try file.bytes(at: file.size - 8, count: 8)
        let expected = GzipLayer.littleEndian(checksum.value) + GzipLayer.littleEndian(UInt32(truncatingIfNeeded: length))
        guard trailer == expected else { throw damaged("its gzip checksum or length is wrong") }
        guard offset == file.size else { throw damaged("it was not read to its end") }
        return HexDigest.text(hash.finalize())
    }

    private func checkStart() throws(BastionError) {
        let start = try file.bytes(at: 0, count: 15)
        guard start.starts(with: GzipLayer.header) else {
            throw BastionError(.invalidData, "\"\(file.path)\" is not a pgbastion backup", detail: "it does not begin like one")
        }
        guard start.count == 15, file.size >= 20 else { throw damaged("it is cut off") }
        // An empty first member in front of a second one would pass the checksum of the second.
        let isEmptyStored = start[10] & 0x06 == 0 && start[11] == 0 && start[12] == 0
        let isEmptyFixed = start[10] & 0x06 == 0x02 && start[10] & 0xf8 == 0 && start[11] & 0x03 == 0
        guard !isEmptyStored, !isEmptyFixed else { throw damaged("its first block is empty") }
    }

    private func supply(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        do throws(BastionError) {
            let count = try file.read(input, at: offset)
            let piece = UnsafeRawBufferPointer(rebasing: input[..<count])
            hash.update(bufferPointer: piece)
            offset += Int64(count)
            bytes?.pointee = piece.baseAddress
            return count
        } catch {
            failure = error
            return -1
        }
    }

    private func damaged(_ reason: String) -> BastionError {
        BastionError(.integrity, "the backup archive is damaged", detail: reason)
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
}

/// Eight bytes a step, each by a table of its own.
///
/// - Source: RFC 1952, section 8; M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance Software-based
///   CRC Generators", 2005.
struct CRC32 {
    /// Table `k` has the remainder of each byte with `k` zero bytes behind it.
    private static let tables: [UInt32] = {
        var tables = (0..<256).map { (index: Int) -> UInt32 in
            (0..<8).reduce(UInt32(index)) { (value: UInt32, _) -> UInt32 in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
        }
        for index in 256..<8 * 256 { tables.append(tables[Int(tables[index - 256] & 0xff)] ^ (tables[index - 256] >> 8)) }
        return tables
    }()

    private var register: UInt32 = 0xffff_ffff
    var value: UInt32 { ~register }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var register = register
        var offset = 0
        CRC32.tables.withUnsafeBufferPointer { tables in
            while bytes.count - offset >= 8 {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(register)
                register = 0
                for place in 0..<8 {
                    let byte = Int(truncatingIfNeeded: word >> UInt64(8 * place)) & 0xff
                    register ^= tables[(7 - place) << 8 | byte]
                }
                offset += 8
            }
            for byte in bytes[offset...] { register = tables[Int((register ^ UInt32(byte)) & 0xff)] ^ (register >> 8) }
        }
        self.register = register
    }
}
