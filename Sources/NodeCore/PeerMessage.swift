import ClusterModel
import FailoverCore
import FoundationEssentials
import RaftCore

/// What nodes say to each other.
package enum PeerMessage: Sendable, Hashable {
    case raft(RaftMessage)
    case node(NodeMessage)
}

/// The messages above consensus (4.2).
package enum NodeMessage: Sendable, Codable, Hashable {
    /// `relayed`: passed on by another member, once, after two unanswered renewals.
    case leaseRequest(LeaseRequest, relayed: Bool)
    case leaseGrant(LeaseGrant)
    case leaseDenial(LeaseDenial)
    case release(term: UInt64, FencingToken, GuardIncarnation, ReleaseEvidence)
    case pledgeRequest(term: UInt64, ballot: FencingToken)
    case pledge(Pledge)
    case report(NodeReport)
    case clusterReport(ClusterReport)
    /// `isOrdered`: an operator's, which lasts although the daemon stays.
    case holdRequest(id: UInt64, FencingToken, GuardIncarnation, milliseconds: Int64, isOrdered: Bool? = nil)
    case holdGranted(id: UInt64, FencingToken)
    /// VI1: the leader of `term` removed the virtual address before it hands over; `index` is the end of its log.
    case addressGivenUp(term: UInt64, index: UInt64)
    /// RA11: a removed member is told.
    case removed(MemberID)
}

/// A message from outside that could not be read.
package struct MalformedMessage: Error, Sendable, Hashable {
    package var reason: String
}

extension PeerMessage {
    /// The wire form: one byte for the kind, then Raft's own binary form or JSON with sorted keys.
    package func encoded() throws -> [UInt8] {
        switch self {
        case .raft(let message): return [1] + message.encoded()
        case .node(let message):
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return try [2] + encoder.encode(message)
        }
    }

    /// - Throws: `MalformedMessage` for anything that is not a message; never traps on hostile bytes.
    package init(bytes: [UInt8]) throws(MalformedMessage) {
        guard let kind = bytes.first else { throw MalformedMessage(reason: "empty") }
        do {
            switch kind {
            case 1: self = .raft(try RaftMessage(decoding: Array(bytes.dropFirst())))
            case 2: self = .node(try JSONDecoder().decode(NodeMessage.self, from: Data(bytes.dropFirst())))
            default: throw MalformedMessage(reason: "unknown kind \(kind)")
            }
        } catch {
            throw MalformedMessage(reason: "\(error)")
        }
    }
}

/// The state machine's durable forms: log entries and snapshots, as JSON with sorted keys.
package enum StateCodec {
    package static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return [UInt8](try encoder.encode(value))
    }
    package static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
