import ClusterModel
import FoundationEssentials
import PostgresControl

/// What nodes ask each other beside the core's messages, over the request lane of the peer transport.
enum PeerQuestion: Codable, Sendable {
    /// A client's change for the leader.
    case change(ClusterRequest, RequestMetadata)
    /// The generated passwords of the service roles, for a registered member that joins (AG23).
    case secrets(MemberID)
    /// Something this one node is to do or to tell.
    case ask(NodeRequest, RequestMetadata)
}

enum PeerAnswer: Codable, Sendable {
    case reply(ClusterReply)
    case secrets(PostgresSecrets)
    case asked(NodeReply)
    case refused(BastionError)
}

enum PeerCoding {
    static func encode<T: Encodable>(_ value: T) -> [UInt8] {
        do { return [UInt8](try JSONEncoder().encode(value)) } catch { return [] }
    }
    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws(BastionError) -> T {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw BastionError(.invalidData, "a peer's message cannot be read", detail: "\(error)")
        }
    }
}
