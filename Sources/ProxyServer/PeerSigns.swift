import NIOCore
import NIOPosix

/// What the kernel knows of a peer (TCP_INFO), as far as it tells a dead host from a quiet or slow one.
///
/// TCP_USER_TIMEOUT would be simpler, but it also ends a connection whose live peer keeps its window shut, for instance
/// a server that waits for a lock in the middle of COPY (measured: given up after 3.5 s with a limit of 3 s).
struct PeerSigns: Sendable {
    /// Time since the last acknowledgement.
    var silence: Duration
    var unacknowledged: Int
    var retransmissions: Int
    /// Unanswered probes of a shut window or of an idle connection.
    var probes: Int

    func showDeath(after limit: Duration) -> Bool {
        silence >= limit && ((unacknowledged > 0 && retransmissions >= 2) || probes >= 6)
    }

    /// Reads the signs; `then` is not called for a socket that is closed.
    static func read(_ channel: any Channel, then: @escaping (PeerSigns) -> Void) {
        guard let socket = channel as? any SocketOptionProvider else { return }
        socket.getTCPInfo().assumeIsolated().whenSuccess { info in
            then(
                PeerSigns(
                    silence: .milliseconds(Int64(info.tcpi_last_ack_recv)), unacknowledged: Int(info.tcpi_unacked),
                    retransmissions: Int(info.tcpi_retransmits), probes: Int(info.tcpi_probes)))
        }
    }
}
