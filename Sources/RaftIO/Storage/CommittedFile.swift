import ClusterModel
import Glibc
import RaftCore

/// The file `committed`: the highest index this node knew to be committed, so that a stopped directory can tell what was
/// applied from what was only proposed. Raft itself never reads it (RA14).
///
/// Written without fsync, behind the entries it covers: what stands in it is never more than what is stored. A missing or
/// torn file counts as zero, which only tells less.
struct CommittedFile {
    private static let magic: UInt64 = 0x7067_6261_636d_6d74
    private static let count = 24

    let path: String
    private let member: MemberID

    init(directory: String, member: MemberID) {
        path = "\(directory)/committed"
        self.member = member
    }

    func read() throws(BastionError) -> LogIndex {
        guard let bytes = try DurableFile.read(path, limit: 4_096), bytes.count == CommittedFile.count else { return .zero }
        let index = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) }
        return encoded(index) == bytes ? LogIndex(index) : .zero
    }

    /// - Returns: false when it could not be written; the entries themselves are not concerned.
    func write(_ index: LogIndex) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = encoded(index.rawValue)
        return bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } == bytes.count
    }

    private func encoded(_ index: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in [CommittedFile.magic, index] { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        var crc = CRC32C()
        crc.add(member.rawValue)
        crc.add(bytes)
        withUnsafeBytes(of: UInt64(crc.value).littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }
}
