import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import Operations
import Synchronization
import Telemetry

/// The part of the configuration that a running daemon can take over (SIGHUP, `POST /reload`).
final class LiveSettings: Sendable {
    private let current: Mutex<NodeConfiguration>
    private let certificates = Mutex<(@Sendable (NodeConfiguration) throws(BastionError) -> Void)?>(nil)

    private let followers = Mutex<[@Sendable (NodeConfiguration) -> Void]>([])

    init(_ configuration: NodeConfiguration) { current = Mutex(configuration) }

    /// What the daemon runs with now.
    var configuration: NodeConfiguration { current.withLock { $0 } }
    var token: [UInt8]? { current.withLock { $0.api.authToken.map { Array($0.revealed.utf8) } } }

    /// Who reads the certificates again; what it throws leaves everything as it was.
    func onReload(_ body: @escaping @Sendable (NodeConfiguration) throws(BastionError) -> Void) {
        certificates.withLock { $0 = body }
    }

    /// Who takes new values over after a reload that succeeded.
    func onApplied(_ body: @escaping @Sendable (NodeConfiguration) -> Void) { followers.withLock { $0.append(body) } }

    /// An invalid file leaves everything as it was (X02).
    func reload(_ path: String, _ driver: NodeDriver, _ logs: LogControl) throws(BastionError) -> ReloadReport {
        let loaded: LoadedConfiguration
        do throws(ConfigurationErrors) { loaded = try ConfigurationFile.load(path: path) } catch {
            throw error.bastionError
        }
        try certificates.withLock { $0 }?(loaded.configuration)
        let changes: ConfigurationChanges = current.withLock { current in
            let changes = ConfigurationChanges(from: current, to: loaded.configuration)
            current = current.reloaded(from: loaded.configuration)
            return changes
        }
        let now = current.withLock { $0 }
        logs.level = LogLine.Level(rawValue: now.log.level.rawValue) ?? .info
        logs.format = LogLine.Format(rawValue: now.log.format.rawValue) ?? .text
        driver.submit(.settingsChanged(now.policySettings))
        for follower in followers.withLock({ $0 }) { follower(now) }
        return ReloadReport(
            applied: changes.reloadable.map(\.key), needsRestart: changes.needsRestart.map(\.key))
    }
}
