import ClusterModel

/// Where a `PeerTransport` listens, and its limits (RA21).
package struct TransportSettings: Sendable {
    /// Empty: it only dials.
    package var bindHosts: [String]
    /// 0: any free port, see `PeerTransport.boundPorts`.
    package var port: Int
    package var tls: TransportTLS?
    package var connectTimeout: Duration = .seconds(2)
    package var handshakeTimeout: Duration = .seconds(3)
    /// After this long without an acknowledgement the kernel gives a connection up.
    package var silenceTimeout: Duration = .seconds(3)
    package var dialBackoff: ClosedRange<Duration> = .milliseconds(50) ... .seconds(1)
    /// RA19: a member id claimed by two incarnations is free again after one was silent for this long.
    package var contestedSilence: Duration = .seconds(5)
    /// A request connection without requests is closed after this long.
    package var requestIdle: Duration = .seconds(60)
    package var maxMessageBytes = 1024 * 1024
    package var maxRequestBytes = 4 * 1024 * 1024
    package var maxQueuedMessages = 1024
    package var maxQueuedBytes = 16 * 1024 * 1024
    package var maxInboundConnections = 512
    /// Connections whose handshake is not done.
    package var maxUnknownConnections = 64
    package var maxConcurrentRequests = 64
    /// For the jitter of the backoff.
    package var seed: UInt64 = 0

    package init(bindHosts: [String], port: Int, tls: TransportTLS? = nil) {
        self.bindHosts = bindHosts
        self.port = port
        self.tls = tls
    }
}

/// Certificate files of the peer connections.
package struct TransportTLS: Sendable, Hashable {
    package var certificatePath: String
    package var keyPath: String
    /// With a CA both sides must show a certificate signed by it; without one the connection is only encrypted.
    package var caPath: String?

    package init(certificatePath: String, keyPath: String, caPath: String? = nil) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.caPath = caPath
    }
}

/// Where a member is dialled; `host` may be a name, which is resolved at every dial.
package struct PeerAddress: Sendable, Hashable {
    package var memberID: MemberID
    package var host: String
    package var port: Int

    package init(memberID: MemberID, host: String, port: Int) {
        self.memberID = memberID
        self.host = host
        self.port = port
    }
}

/// Each peer has two connections, so that bulk data never delays what a lease depends on (RA21).
package enum PeerLane: String, Sendable, Hashable, CaseIterable {
    case urgent, bulk

    var purpose: PeerPurpose { self == .urgent ? .urgent : .bulk }
    init?(_ purpose: PeerPurpose) {
        switch purpose {
        case .urgent: self = .urgent
        case .bulk: self = .bulk
        case .request, .probe: return nil
        }
    }
}

/// What happened to a connection; for the log.
package enum PeerEvent: Sendable, Hashable {
    case connected(MemberID, PeerLane)
    case disconnected(MemberID, PeerLane)
    /// This node could not connect, or was refused by the other one.
    case dialFailed(PeerAddress, BastionError)
    /// This node refused another one, or what it sent.
    case refused(from: String, BastionError)
}

/// Counts since the start.
package struct TransportStatistics: Sendable, Hashable {
    package var sent: UInt64 = 0
    package var received: UInt64 = 0
    package var droppedUrgent: UInt64 = 0
    package var droppedBulk: UInt64 = 0
    /// A newer message with the same key took the place of an older one.
    package var replaced: UInt64 = 0
    package var sentBytes: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var refusedConnections: UInt64 = 0
    package var damagedFrames: UInt64 = 0
}
