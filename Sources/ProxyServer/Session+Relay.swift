import ClusterModel
import NIOCore

/// What passing the bytes must remember.
struct RelayState {
    /// SSLRequest or GSSENCRequest is with the server; its one-byte answer decides whether the rest is opaque.
    var awaitsEncryptionAnswer = false
    /// The server refused encryption: the client's next packet is a startup packet again.
    var awaitsSecondStartup = false
    var isEncrypted = false
    var serverSpoke = false
    /// The last six bytes of the server, enough to recognise ReadyForQuery.
    var serverTail: UInt64 = 0
    /// The client has sent something since the server was last heard.
    var clientSpoke = false
    var clientSaidGoodbye = false
    var serverInputClosed = false
    var clientInputClosed = false
    /// PX3: the client is not read until the switchover ends.
    var isPaused = false
    var isDraining = false
    /// The bytes of this server count only before the lease's deadline (PX9).
    var isOwnPrimary = false

    /// An ErrorResponse may follow: the server has said nothing yet, or its last message is ReadyForQuery.
    ///
    /// Limit: row data that ends with these bytes at the end of a read is taken for it; the session is ended anyway then.
    var mayExplain: Bool { !isEncrypted && (!serverSpoke || serverTail >> 8 == 0x5A_0000_0005) }
    /// ReadyForQuery outside a transaction, and the client has not sent a new statement.
    ///
    /// Limit: of several statements sent without waiting, the first answer counts as the last.
    var isIdle: Bool { !isEncrypted && !clientSpoke && serverTail == 0x5A_0000_0005_49 }

    mutating func noteServerBytes(_ bytes: ByteBuffer) {
        clientSpoke = false
        serverSpoke = true
        for byte in bytes.readableBytesView.suffix(6) {
            serverTail = (serverTail << 8 | UInt64(byte)) & 0xFFFF_FFFF_FFFF
        }
    }

    /// - Source: PostgreSQL manual, "Message Formats": Terminate is `X` with length 4.
    mutating func noteClientBytes(_ bytes: ByteBuffer) {
        clientSpoke = true
        clientSaidGoodbye = bytes.readableBytesView.suffix(5).elementsEqual([0x58, 0, 0, 0, 4])
    }
}

/// Passing bytes both ways with back-pressure: a side is read only while the other takes what was read (PX7).
extension Session {
    func beginRelay() {
        guard let target, let server, client != nil else { return finish(with: nil) }
        phase = .relaying
        relay.isOwnPrimary = isOwnPrimary(target)
        surroundings.observer(.joined(port, backend: target.backend.node))
        sendPending()
        // The table may have changed between the choice and now.
        judgeRelay()
        guard phase == .relaying else { return }
        server.read()
        readClientIfAllowed()
    }

    private func isOwnPrimary(_ target: RouteBoard.Target) -> Bool {
        guard target.backend.node == settings.localNode else { return false }
        return target.asPrimary || board.table.primary?.node == settings.localNode
    }

    // MARK: client to server

    func clientRead(_ data: NIOAny, _ bytes: ByteBuffer) {
        switch phase {
        case .startup, .holding, .connecting: collect(bytes)
        case .ended: break
        case .relaying:
            if relay.awaitsSecondStartup { return secondStartup(bytes) }
            // A read that was asked for before the pause may still bring something.
            if relay.isPaused { return keep(bytes) }
            relay.noteClientBytes(bytes)
            server?.write(data, promise: nil)
        }
    }

    /// Sends what was kept back.
    func sendPending() {
        guard let bytes = pending else { return }
        pending = nil
        relay.noteClientBytes(bytes)
        server?.writeAndFlush(NIOAny(bytes), promise: nil)
    }

    func clientReadComplete() {
        switch phase {
        case .startup, .ended: client?.read()
        case .holding, .connecting: break
        case .relaying:
            server?.flush()
            readClientIfAllowed()
        }
    }

    func readClientIfAllowed() {
        guard phase == .relaying, !relay.isPaused, !relay.clientInputClosed else { return }
        guard let server, server.channel.isWritable else { return }
        client?.read()
    }

    /// A cancel request may come after a refused SSLRequest (libpq 17 and later): it, too, goes to every server.
    private func secondStartup(_ bytes: ByteBuffer) {
        keep(bytes)
        guard let packet = pending else { return }
        switch StartupPacket.parse(packet) {
        case .incomplete: return
        case .complete(.cancel, let length):
            CancelRelay.send(packet.getSlice(at: packet.readerIndex, length: length), port, surroundings, on: loop)
            return finish(with: nil)
        case .complete(.encryptionRequest, _): relay.awaitsEncryptionAnswer = true
        case .complete(.session, _), .malformed: break  // the server answers for it
        }
        relay.awaitsSecondStartup = false
        pending = nil
        relay.noteClientBytes(packet)
        server?.write(NIOAny(packet), promise: nil)
    }

    // MARK: server to client

    func serverRead(_ data: NIOAny, _ bytes: ByteBuffer) {
        guard phase == .relaying else { return }
        // PX9: what a frozen machine still holds after its lease is never heard.
        // Limit: bytes read before the deadline may leave after it when the client reads slowly.
        if relay.isOwnPrimary && !surroundings.deadline() {
            return cut(.deadline, .roleChange("the lease of this primary has ended"), mayExplain: false)
        }
        if relay.awaitsEncryptionAnswer { noteEncryptionAnswer(bytes) }
        relay.noteServerBytes(bytes)
        client?.write(data, promise: nil)
    }

    private func noteEncryptionAnswer(_ bytes: ByteBuffer) {
        guard let answer = bytes.readableBytesView.first else { return }
        relay.awaitsEncryptionAnswer = false
        relay.isEncrypted = answer == UInt8(ascii: "S") || answer == UInt8(ascii: "G")
        relay.awaitsSecondStartup = answer == UInt8(ascii: "N")
    }

    func serverReadComplete() {
        guard phase == .relaying else { return }
        client?.flush()
        readServerIfAllowed()
        if relay.isDraining || board.isHolding { judgeRelay() }
    }

    func readServerIfAllowed() {
        guard phase == .relaying, !relay.serverInputClosed, let client, client.channel.isWritable else { return }
        server?.read()
    }

    // MARK: a new table, drain

    /// PX1, PX3: cut, pause or go on, as the table in force says.
    func judgeRelay() {
        guard phase == .relaying, let target else { return }
        relay.isOwnPrimary = isOwnPrimary(target)
        relay.isDraining = board.isDrained(target.backend.node)
        switch board.verdict(target) {
        case .goes(let reason, let why):
            return cut(reason, .roleChange(why))
        case .waits:
            // Only idle sessions wait: one inside a transaction must be able to end it.
            if relay.isIdle { relay.isPaused = true }
        case .stays:
            if relay.isPaused {
                relay.isPaused = false
                sendPending()
                readClientIfAllowed()
            }
        }
        if relay.isDraining && relay.isIdle { cut(.drain, .draining("server \"\(target.backend.node)\" is drained")) }
    }

    /// The bytes that wait in the fuller direction.
    var largestBuffer: Int {
        let waiting = [client, server].compactMap { context in
            do {
                return try context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
            } catch {
                return 0  // closed: nothing waits
            }
        }
        return max(waiting.max() ?? 0, pending?.readableBytes ?? 0)
    }
}
