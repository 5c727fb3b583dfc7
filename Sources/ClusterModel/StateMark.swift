/// CS6: the digest of the replicated state after one entry; the same on every member.
package struct StateMark: Sendable, Codable, Hashable {
    package var index: UInt64
    package var sha256: String
    package init(index: UInt64, sha256: String) {
        self.index = index
        self.sha256 = sha256
    }
}
