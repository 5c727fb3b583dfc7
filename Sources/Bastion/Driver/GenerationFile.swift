import CLinux
import ClusterModel
import FoundationEssentials
import Glibc
import RaftIO

/// ST11: what this machine remembers of its Raft directory outside of it, so that an old copy put back is noticed.
package struct GenerationFile: Sendable {
    private let path: String

    package init(path: String) { self.path = path }

    private struct Content: Codable {
        var member: MemberID
        var generation: UInt64
        var startID: UInt64
    }

    /// Refuses a directory that is older than what is remembered, then remembers the present start.
    package func check(_ store: RaftLogStore) throws(BastionError) {
        let identity = store.identity
        if let known = try load(), known.member == identity.memberID, let before = store.previousStart,
            (before.generation, before.startID) != (known.generation, known.startID), before.generation <= known.generation
        {
            // Remembered as newer still, so that restarts of the copy never catch up.
            try save(Content(member: known.member, generation: max(known.generation, identity.generation) + 1, startID: known.startID))
            throw BastionError(
                .corrupt, "the Raft directory \"\(store.directory)\" is an older copy",
                detail: "rule ST11: it was last started as generation \(before.generation), this machine remembers "
                    + "\(known.generation). A copy has forgotten votes and entries, so it may not take part",
                hint: "run `pgbastion node reset`, then `pgbastion node rejoin` on a member")
        }
        try save(Content(member: identity.memberID, generation: identity.generation, startID: identity.startID))
    }

    private func load() throws(BastionError) -> Content? {
        guard access(path, F_OK) == 0 else { return nil }
        do { return try JSONDecoder().decode(Content.self, from: Data(contentsOf: URL(filePath: path))) } catch {
            throw BastionError(.corrupt, "\"\(path)\" cannot be read", detail: "\(error)")
        }
    }

    private func save(_ content: Content) throws(BastionError) {
        let bytes: [UInt8]
        do { bytes = [UInt8](try JSONEncoder().encode(content)) } catch {
            throw BastionError(.internal, "the generation cannot be encoded", detail: "\(error)")
        }
        guard bytes.withUnsafeBytes({ pgb_write_durably(path, $0.baseAddress, $0.count, 0o600) }) == 0 else {
            throw BastionError(.io, "could not write \"\(path)\"", detail: String(cString: strerror(errno)))
        }
    }
}
