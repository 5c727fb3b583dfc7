import CLinux
import ClusterModel
import FailoverCore
import Glibc

/// One end of a guard's connection: whole messages over SOCK_SEQPACKET. Closed with the value's last reference.
final class GuardSocket: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    enum Received {
        case packet([UInt8])
        case nothing
        case end
    }

    /// The next packet; on a blocking descriptor it waits for one.
    func receive() -> Received {
        var buffer = [UInt8](repeating: 0, count: GuardWire.maximumPacket)
        let size = pgb_receive_packet(descriptor, &buffer, buffer.count)
        if size < 0 { return errno == EAGAIN || errno == EWOULDBLOCK ? .nothing : .end }
        return size == 0 ? .end : .packet(Array(buffer[..<size]))
    }

    /// False when the other side is gone or does not read.
    func send(_ message: some Encodable) -> Bool {
        do {
            let bytes = try GuardWire.encode(message)
            return pgb_send_packet(descriptor, bytes, bytes.count) == bytes.count
        } catch {
            return false
        }
    }

    /// How long `receive` waits on a blocking descriptor; 0 for ever.
    func setReceiveTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Makes both sides see the end, also a thread of this process that waits in `receive`.
    func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The other side's process and whether it runs as the same user.
    func peer() -> (pid: Int32, isSameUser: Bool) {
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard pgb_peer_credentials(descriptor, &pid, &uid) == 0 else { return (0, false) }
        return (pid, uid == geteuid())
    }
}
