import ClusterModel
import Operations

/// Every route the API serves.
package enum RouteTable {
    static let all: [Route] =
        GuideReads.routes + GuideChanges.routes + NodeRoutes.routes + SettingsRoutes.routes + BackupRoutes.routes + EventRoutes.routes
        + Probes.routes
        + OperationRoutes.routes + StatusPage.routes

    /// `GET /raft/state`, ...: for documentation and tests.
    package static var served: [String] { all.flatMap { route in route.methods.map { "\($0) \(route.template)" } } }
}
