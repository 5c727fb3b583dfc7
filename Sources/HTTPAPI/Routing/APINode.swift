import ClusterModel
import Operations

/// What the API knows of the node it runs in.
package struct APINode: Sendable {
    package struct Connection: Codable, Sendable, Hashable {
        package var backend: String
        /// `primary` or `replica`
        package var portType: String
        package var active: Int
        package init(backend: String, portType: String, active: Int) {
            self.backend = backend
            self.portType = portType
            self.active = active
        }
    }

    package typealias ReloadOutcome = ReloadReport

    package var gateway: any ClusterGateway
    /// X08
    package var events: EventFeed
    /// The Prometheus page.
    package var metricsText: @Sendable () async -> String
    /// X02: reads the configuration file again; an invalid one throws and applies nothing.
    package var reload: @Sendable () async throws(BastionError) -> ReloadOutcome
    /// Sessions of this node's proxy.
    package var connections: @Sendable () async -> [Connection]
    /// X10: the daemon's loops make progress.
    package var isLive: @Sendable () async -> Bool
    /// Builds an archive of the cluster state.
    package var archive: @Sendable (ArchiveRequest, RequestMetadata) async throws(BastionError) -> BuiltArchive = {
        _, _ throws(BastionError) in throw BastionError(.unavailable, "this node builds no archives")
    }
    /// Metrics 21 and 22: method, route template, status, seconds.
    package var recordRequest: @Sendable (String, String, Int, Double) -> Void

    package init(
        gateway: any ClusterGateway, metricsText: @escaping @Sendable () async -> String,
        reload: @escaping @Sendable () async throws(BastionError) -> ReloadOutcome,
        connections: @escaping @Sendable () async -> [Connection],
        isLive: @escaping @Sendable () async -> Bool = { true },
        recordRequest: @escaping @Sendable (String, String, Int, Double) -> Void = { _, _, _, _ in }
    ) {
        self.gateway = gateway
        events = EventFeed(gateway: gateway)
        self.metricsText = metricsText
        self.reload = reload
        self.connections = connections
        self.isLive = isLive
        self.recordRequest = recordRequest
    }
}
