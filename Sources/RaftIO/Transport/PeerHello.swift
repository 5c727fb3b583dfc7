import ClusterModel
import FoundationEssentials

/// Who a node says it is when a connection begins (RA19, RA20).
package struct PeerHello: Codable, Sendable, Hashable {
    /// What this program can read and do (RA20).
    package static let supportedFeatureLevel: UInt32 = 1

    package var wireMin: UInt32
    package var wireMax: UInt32
    /// nil: an empty directory that waits to be added.
    package var clusterID: ClusterID?
    package var epoch: UInt32
    package var memberID: MemberID
    package var nodeName: NodeName
    package var daemonIncarnation: DaemonIncarnation
    package var featureLevel: UInt32
    package var generation: UInt64
    package var startID: UInt64
    package var version: String
    /// Facts a newer version may add without a new wire version; at most 64 KiB with the rest.
    package var properties: [String: String]

    package init(
        wireMin: UInt32 = PeerHello.supportedWire.lowerBound, wireMax: UInt32 = PeerHello.supportedWire.upperBound,
        clusterID: ClusterID?, epoch: UInt32, memberID: MemberID,
        nodeName: NodeName, daemonIncarnation: DaemonIncarnation, featureLevel: UInt32, generation: UInt64,
        startID: UInt64, version: String, properties: [String: String] = [:]
    ) {
        self.wireMin = wireMin
        self.wireMax = wireMax
        self.clusterID = clusterID
        self.epoch = epoch
        self.memberID = memberID
        self.nodeName = nodeName
        self.daemonIncarnation = daemonIncarnation
        self.featureLevel = featureLevel
        self.generation = generation
        self.startID = startID
        self.version = version
        self.properties = properties
    }

    enum CodingKeys: String, CodingKey {
        case wireMin = "wire_min"
        case wireMax = "wire_max"
        case clusterID = "cluster_id"
        case epoch
        case memberID = "member_id"
        case nodeName = "node_name"
        case daemonIncarnation = "daemon_incarnation"
        case featureLevel = "feature_level"
        case generation
        case startID = "start_id"
        case version
        case properties
    }
}

/// What a connection is for.
package enum PeerPurpose: String, Codable, Sendable, Hashable {
    /// Votes, heartbeats, leases, fence messages.
    case urgent
    /// Entries and snapshots.
    case bulk
    /// Requests with answers, many at a time.
    case request
    /// Only the handshake.
    case probe
}

/// The answer to a hello.
package enum PeerAdmission: Sendable, Hashable {
    case accept
    case reject(code: ErrorCode, message: String)
}

/// The payload of the frame that opens a connection, in either direction.
struct HandshakeMessage: Codable, Sendable, Hashable {
    var purpose: PeerPurpose
    var hello: PeerHello
}

/// Why a connection or a request was refused.
struct Rejection: Codable, Sendable, Hashable {
    var code: ErrorCode
    var message: String

    var error: BastionError { BastionError(code, message) }
}

enum HandshakeCoding {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        // Strings and numbers only: encoding cannot fail; an empty payload would be refused by the other side.
        do { return try Array(encoder.encode(value)) } catch { return [] }
    }

    /// nil when `bytes` are not the JSON of `Value`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch { return nil }
    }
}

extension PeerHello {
    /// The rules of RA19 and RA20 that need no knowledge of the cluster; nil when `self` may talk to `other`.
    func refusal(of other: PeerHello, purpose: PeerPurpose) -> Rejection? {
        // A probe only asks who is there.
        if purpose == .probe { return nil }
        guard max(wireMin, other.wireMin) <= min(wireMax, other.wireMax) else {
            return Rejection(
                code: .preconditionFailed,
                message: "node \"\(nodeName)\" speaks wire versions \(wireMin) to \(wireMax), "
                    + "node \"\(other.nodeName)\" \(other.wireMin) to \(other.wireMax)")
        }
        if let own = clusterID, let theirs = other.clusterID, own != theirs {
            return Rejection(
                code: .foreignState,
                message:
                    "node \"\(other.nodeName)\" belongs to cluster \(theirs.short), node \"\(nodeName)\" to \(own.short); "
                    + "run `pgbastion node reset` on the node that is to join")
        }
        if other.memberID == memberID && other.daemonIncarnation != daemonIncarnation {
            return Rejection(
                code: .preconditionFailed,
                message:
                    "node \"\(other.nodeName)\" claims the member id of node \"\(nodeName)\": a copied Raft directory")
        }
        return nil
    }
}
