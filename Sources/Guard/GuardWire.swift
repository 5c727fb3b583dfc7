import ClusterModel
import FailoverCore
import FoundationEssentials

// One packet of the socket is one JSON value. Limit: `GuardWire.maximumPacket`.

/// What the daemon sends. The first message is `hello`.
enum DaemonMessage: Sendable, Codable {
    case hello(GuardHello)
    case order(GuardOrder)
}

/// What the guard sends. The first message is `welcome` or `rejected`; after `rejected` it closes.
enum GuardMessage: Sendable, Codable {
    case welcome(GuardWelcome)
    case rejected(String)
    case report(GuardReport)
}

struct GuardHello: Sendable, Codable {
    var version: Int
    var clusterID: ClusterID?
    /// The daemon's clock when it sent this.
    var instant: ClockStamp
}

struct GuardWelcome: Sendable, Codable {
    var version: Int
    var instant: ClockStamp
    var processID: Int32
    var dataDirectory: String
    /// What the guard was not permitted to do at its start, for `doctor`.
    var limitations: [String]
    var status: GuardStatus
}

enum GuardWire {
    static let version = 1
    static let maximumPacket = 128 * 1024
    /// Both sides must count the same time; another time namespace shows here (4.7).
    static let clockTolerance = Duration.milliseconds(50)

    static func agree(_ a: ClockStamp, _ b: ClockStamp) -> Bool {
        let tolerance = clockTolerance.inNanoseconds
        return (a.raw - b.raw).magnitude <= tolerance.magnitude
            && (a.suspended - b.suspended).magnitude <= tolerance.magnitude
    }

    static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(message))
    }

    static func decode<T: Decodable>(_ type: T.Type, from bytes: some Sequence<UInt8>) throws -> T {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
