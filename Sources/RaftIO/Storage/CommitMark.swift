import ClusterModel
import Glibc

/// The file `commits`: how many transactions each database had committed, written after every commit, without fsync.
///
/// SQLite ends a write-ahead log at the first frame whose checksum is wrong and calls it complete, so a damaged or cut
/// log would silently lose acknowledged entries and votes (ST5 forbids that). Whoever opens the directory compares the
/// databases with this file: fewer commits than marked are `corrupt`. The mark is never ahead of what was synced, and
/// after a power loss it may be behind, which is harmless.
///
/// Two slots are used in turn, so that a torn write leaves the older one.
final class CommitMark {
    struct Value: Hashable, Sendable {
        var stable: UInt64 = 0
        var raft: UInt64 = 0
    }

    private static let magic: UInt64 = 0x7067_6261_6d61_726b
    private static let slotBytes = 40
    private static let slotStride = 4096

    private let path: String
    private let descriptor: Int32
    private let memberID: MemberID
    private var sequence: UInt64 = 0
    private(set) var value: Value?

    /// Reads the mark; `value` is nil when the file is new and the caller is to write it.
    init(directory: String, memberID: MemberID, isNew: Bool) throws(BastionError) {
        path = "\(directory)/commits"
        self.memberID = memberID
        if isNew {
            try DurableFile.write([UInt8](repeating: 0, count: 2 * CommitMark.slotStride), to: path)
        }
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw RaftLogStore.corrupt("file \"\(path)\" is missing") }
            throw DurableFile.failure("open", path)
        }
        guard !isNew else { return }
        for slot in 0..<2 {
            guard let found = read(slot), found.sequence > sequence else { continue }
            (sequence, value) = (found.sequence, found.value)
        }
        if value == nil { throw RaftLogStore.corrupt("file \"\(path)\" holds no valid mark") }
    }

    deinit { close(descriptor) }

    /// Overwrites the older slot. A full disk cannot matter here: the blocks exist, and a mark that stays behind only
    /// detects less.
    func write(_ new: Value) throws(BastionError) {
        sequence += 1
        value = new
        let bytes = encoded(sequence, new)
        let offset = off_t(Int(sequence % 2) * CommitMark.slotStride)
        let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, offset) }
        guard count == bytes.count || errno == ENOSPC || errno == EDQUOT else {
            throw DurableFile.failure("write", path)
        }
    }

    func sync() throws(BastionError) {
        guard fsync(descriptor) == 0 else { throw DurableFile.syncFailure(path) }
    }

    private func encoded(_ sequence: UInt64, _ value: Value) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in [CommitMark.magic, sequence, value.stable, value.raft] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        var crc = CRC32C()
        crc.add(memberID.rawValue)
        crc.add(bytes)
        withUnsafeBytes(of: UInt64(crc.value).littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    private func read(_ slot: Int) -> (sequence: UInt64, value: Value)? {
        var bytes = [UInt8](repeating: 0, count: CommitMark.slotBytes)
        let offset = off_t(slot * CommitMark.slotStride)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
        guard count == bytes.count else { return nil }
        let numbers = bytes.withUnsafeBytes { raw in
            (0..<5).map { UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
        let value = Value(stable: numbers[2], raft: numbers[3])
        guard encoded(numbers[1], value) == bytes else { return nil }
        return (numbers[1], value)
    }
}
