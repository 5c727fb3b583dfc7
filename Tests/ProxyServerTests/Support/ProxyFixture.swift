import ClusterModel
import NIOCore
import NIOPosix
import Testing

@testable import ProxyServer

/// A running proxy in front of fake servers node1, node2, ...; everything is stopped at the end of `body`.
struct ProxyFixture: Sendable {
    let proxy: ProxyServer
    let servers: [FakePostgres]
    let events: Watched<[ProxyEvent]>
    let deadline: Watched<Bool>

    static func run(
        servers count: Int = 2, encryptionAnswer: String = "N",
        settings change: (inout ProxySettings) -> Void = { _ in },
        _ body: @Sendable (ProxyFixture) async throws -> Void
    ) async throws {
        var servers: [FakePostgres] = []
        for number in 0..<count {
            servers.append(try await .start(name(number + 1), encryptionAnswer: encryptionAnswer))
        }
        var settings = ProxySettings(bindHosts: ["127.0.0.1"], primaryPort: 0, replicaPort: 0)
        change(&settings)
        let events = Watched<[ProxyEvent]>([])
        let deadline = Watched(true)
        let proxy = ProxyServer(
            settings: settings, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            deadline: { deadline.value }, observer: { event in events.update { $0.append(event) } })
        try await proxy.start()
        let fixture = ProxyFixture(proxy: proxy, servers: servers, events: events, deadline: deadline)
        do {
            try await body(fixture)
        } catch {
            await proxy.stop()
            throw error
        }
        await proxy.stop()
        for server in servers { try await server.stop() }
    }

    static func name(_ number: Int) -> NodeName {
        guard let name = NodeName("node\(number)") else { preconditionFailure("node\(number) is a name") }
        return name
    }

    var primaryPort: Int? { proxy.ports[.primary] }
    var replicaPort: Int? { proxy.ports[.replica] }

    /// node1 is the primary, the others are replicas.
    func table(_ epoch: UInt64 = 1, primary: Int? = 1, replicas: [Int]? = nil) -> RoutingTable {
        let numbers = replicas ?? (1...servers.count).filter { $0 != primary }
        return RoutingTable(
            epoch: FencingToken(epoch), primary: primary.map { servers[$0 - 1].backend },
            replicas: numbers.map { servers[$0 - 1].backend }, withoutPrimary: .refuse("the lease has ended"))
    }

    /// node1 is drained.
    func drained(_ limit: Duration?) -> RoutingTable {
        var table = table()
        table.drained = [ProxyFixture.name(1): RoutingTable.Drain(limit: limit)]
        return table
    }

    func hold(_ epoch: UInt64 = 1) -> RoutingTable {
        var table = table(epoch, primary: nil, replicas: [])
        table.withoutPrimary = .hold
        return table
    }

    /// The most bytes any direction of any session held, looked at again and again for 300 ms.
    func largestBuffer() async throws -> Int {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        var most = 0
        for _ in 0..<30 {
            try await loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
            most = max(most, try await proxy.largestBuffer())
        }
        return most
    }
}
