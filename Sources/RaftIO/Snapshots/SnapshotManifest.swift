import ClusterModel
import Crypto
import FoundationEssentials
import RaftCore

/// The file `manifest.json` of a snapshot: what the other files must be (ST6).
struct SnapshotManifest: Codable, Sendable, Hashable {
    var format: Int
    var index: UInt64
    var term: UInt64
    var clusterID: ClusterID?
    var stateBytes: Int
    var stateSHA256: String
    var membershipSHA256: String

    enum CodingKeys: String, CodingKey {
        case format, index, term
        case clusterID = "cluster_id"
        case stateBytes = "state_bytes"
        case stateSHA256 = "state_sha256"
        case membershipSHA256 = "membership_sha256"
    }

    static let currentFormat = 1

    static func sha256(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// The file `membership` of a snapshot: server ids as hexadecimal numbers.
struct MembershipFile: Codable, Sendable, Hashable {
    var voters: [MemberID]
    var learners: [MemberID]

    init(_ membership: Membership) {
        voters = membership.voters.map { MemberID(rawValue: $0.rawValue) }
        learners = membership.learners.map { MemberID(rawValue: $0.rawValue) }
    }

    var membership: Membership {
        Membership(
            voters: voters.map { ServerID($0.rawValue) }, learners: learners.map { ServerID($0.rawValue) })
    }
}
