import ClusterModel
import NIOCore
import NIOPosix

/// A TCP proxy for PostgreSQL sessions that follows a `RoutingTable`: it holds, routes and cuts (section 9 of
/// `failover.md`).
///
/// Nothing is decided here but which of the allowed servers a session gets. Before the first `apply` every client is
/// refused.
package final class ProxyServer: Sendable {
    package let settings: ProxySettings
    private let group: any EventLoopGroup
    private let surroundings: SessionSurroundings
    private let loops: [ObjectIdentifier: Loop]
    private let listeners = Listeners()

    private struct Loop: Sendable {
        let loop: any EventLoop
        let sessions: NIOLoopBoundBox<LoopSessions>
    }

    /// - Parameters:
    ///   - deadline: Whether the lease of this node's primary still runs; asked for each piece of its bytes (PX9).
    ///   - observer: Told on event loops, so it must not block.
    package init(
        settings: ProxySettings, eventLoopGroup: any EventLoopGroup, deadline: @escaping @Sendable () -> Bool,
        observer: @escaping @Sendable (ProxyEvent) -> Void
    ) {
        self.settings = settings
        group = eventLoopGroup
        let board = RouteBoard()
        let surroundings = SessionSurroundings(
            settings: settings, board: board, deadline: deadline,
            observer: { event in
                board.note(event)
                observer(event)
            }, ownPorts: OwnPorts())
        self.surroundings = surroundings
        var loops: [ObjectIdentifier: Loop] = [:]
        for loop in eventLoopGroup.makeIterator() {
            let sessions = NIOLoopBoundBox.makeBoxSendingValue(
                LoopSessions(loop: loop, surroundings: surroundings), eventLoop: loop)
            loops[ObjectIdentifier(loop)] = Loop(loop: loop, sessions: sessions)
        }
        self.loops = loops
    }

    /// Opens both ports on every host.
    ///
    /// - Throws: `io` when a port cannot be opened; none is left open then.
    package func start() async throws(BastionError) {
        for port in PortType.allCases {
            let wanted = port == .primary ? settings.primaryPort : settings.replicaPort
            var number = wanted
            for host in settings.bindHosts {
                do {
                    let channel = try await bind(host, number, port).get()
                    listeners.add(channel, port)
                    number = channel.localAddress?.port ?? number
                } catch {
                    await listeners.close()
                    throw BastionError(
                        .io, "could not open proxy port \(wanted) (\(port.rawValue)) on \"\(host)\"",
                        detail: "\(error)", hint: "`ss -ltnp` shows who has the port")
                }
            }
        }
        surroundings.ownPorts.set(listeners.addresses)
    }

    /// The port numbers in use; empty before `start`.
    package var ports: [PortType: Int] { listeners.ports }

    /// Puts `table` in force: for new sessions at once, for existing ones within one turn of their event loop.
    ///
    /// A table that changes nothing costs a comparison; one with a lower epoch than the table in force is ignored (PR5).
    package func apply(_ table: RoutingTable) {
        guard surroundings.board.replace(with: table) else { return }
        everywhere { $0.tableChanged() }
        // PX3: sessions of a drained server end when they are idle, at the latest after this time.
        for (node, limit) in surroundings.board.beginDrains(settings.drainTimeout) {
            group.next().scheduleTask(in: TimeAmount(limit)) { [weak self] in self?.endDrain(node) }
        }
    }

    private func endDrain(_ node: NodeName) {
        guard surroundings.board.isDrainOver(node) else { return }
        everywhere { $0.cutDrained(node) }
    }

    /// Closes the ports and ends every session, with 57P01 where the protocol state allows. Final: a stopped proxy
    /// cannot be started again.
    package func stop() async {
        await listeners.close()
        let ends = loops.values.map { entry in entry.loop.flatSubmit { entry.sessions.value.stop() } }
        for end in ends {
            do {
                try await end.get()
            } catch {
                // An event loop that is shut down has no sessions left.
            }
        }
    }

    /// Sessions per server and port, in order of server name.
    package func sessions() -> [BackendSessions] { surroundings.board.sessions }

    package var statistics: ProxyStatistics { surroundings.board.statistics }

    /// The table in force.
    package var table: RoutingTable { surroundings.board.table }

    /// The most bytes that wait for a slow reader in one direction of one session; at most `settings.bufferLimit` while
    /// both sides are open (PX7).
    package func largestBuffer() async throws -> Int {
        var most = 0
        for entry in loops.values {
            most = max(most, try await entry.loop.submit { entry.sessions.value.largestBuffer() }.get())
        }
        return most
    }

    private func everywhere(_ action: @escaping @Sendable (LoopSessions) -> Void) {
        for entry in loops.values { entry.loop.execute { action(entry.sessions.value) } }
    }

    private func bind(_ host: String, _ number: Int, _ port: PortType) -> EventLoopFuture<any Channel> {
        let loops = loops
        var bootstrap = ServerBootstrap(group: group)
        if host.contains(":") {
            // "::" must not take the IPv4 port from "0.0.0.0".
            bootstrap = bootstrap.serverChannelOption(
                ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
        }
        return
            bootstrap
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // PX7: after an error of accept (no file descriptors) the port rests for 100 ms.
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(backoffProvider: { _ in .milliseconds(100) }))
                }
            }
            .tuned(settings)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let entry = loops[ObjectIdentifier(channel.eventLoop)] else {
                        preconditionFailure("the event loop is not one of the proxy's group")
                    }
                    try entry.sessions.value.add(channel, port: port)
                }
            }
            .bind(host: host, port: number)
    }
}
