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
        /// How often the log had been written when the daemon was stopped; nil while it runs, and after a crash.
        var writes: UInt64?
    }

    /// Nothing is remembered: a new machine, or one that lost its state directory.
    package var isMissing: Bool { access(path, F_OK) != 0 }

    /// Whether a stopped directory is older than what is remembered of its member: a copy that was put back.
    package func knowsNewer(than stored: StableIdentity, writes: UInt64) throws(BastionError) -> Bool {
        guard let known = try load(), known.member == stored.memberID else { return false }
        if (stored.generation, stored.startID) != (known.generation, known.startID) { return stored.generation <= known.generation }
        return known.writes.map { writes < $0 } ?? false
    }

    /// After a clean stop: a copy from earlier in the life that ends here is told from the directory itself.
    package func noteStop(_ store: RaftLogStore) throws(BastionError) {
        guard store.writesAtClose > 0, var known = try load(), known.member == store.identity.memberID else { return }
        known.writes = store.writesAtClose
        try save(known)
    }

    /// Refuses a directory that is older than what is remembered, then remembers the present start.
    package func check(_ store: RaftLogStore) throws(BastionError) {
        let identity = store.identity
        if let before = store.previousStart, let known = try load() {
            var stored = identity
            (stored.generation, stored.startID) = before
            if try knowsNewer(than: stored, writes: store.previousWrites) {
                // Remembered as newer still, so that restarts of the copy never catch up.
                try save(Content(member: known.member, generation: max(known.generation, identity.generation) + 1, startID: known.startID))
                throw BastionError(
                    .corrupt, "the Raft directory \"\(store.directory)\" is an older copy",
                    detail: "rule ST11: it was last started as generation \(before.generation), this machine remembers "
                        + "\(known.generation). A copy has forgotten votes and entries, so it may not take part",
                    hint: "run `pgbastion node reset`, then `pgbastion node rejoin` on a member")
            }
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
