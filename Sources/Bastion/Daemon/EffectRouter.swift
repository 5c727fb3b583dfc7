import ClusterModel
import ConfigFiles
import Dispatch
import FailoverCore
import Guard
import NodeCore
import PostgresControl
import ProxyServer
import RaftCore
import RaftIO
import Synchronization
import Telemetry
import VirtualIP

/// Carries every effect of the core to the adapter it is meant for.
package final class EffectRouter: EffectPerformer {
    private let logs: LogControl
    private let metrics: NodeMetrics
    private let pledges: PledgeFile
    private let pledgeQueue = DispatchQueue(label: "pgbastion.pledge")
    private let parts = Mutex<Parts?>(nil)
    private let archives = Mutex<ArchiveDesk?>(nil)
    private let mayStop = Mutex<StopState>(StopState())
    private let cluster: Mutex<ClusterID?>

    private struct Parts: Sendable {
        var storage: StorageQueue
        var transport: PeerTransport
        var proxy: ProxyServer
        var postgres: PostgresLink?
        var guardLink: GuardLink?
        var address: AddressKeeper?
        var driver: NodeDriver
        var peers: PeerDirectory
        var signals: DaemonSignals
    }
    private struct StopState {
        var isAllowed = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    init(logs: LogControl, metrics: NodeMetrics, pledges: PledgeFile, cluster: ClusterID?) {
        self.logs = logs
        self.metrics = metrics
        self.pledges = pledges
        self.cluster = Mutex(cluster)
    }

    func connect(
        storage: StorageQueue, transport: PeerTransport, proxy: ProxyServer, postgres: PostgresLink?,
        guardLink: GuardLink?, address: AddressKeeper?, driver: NodeDriver, peers: PeerDirectory,
        signals: DaemonSignals
    ) {
        parts.withLock {
            $0 = Parts(
                storage: storage, transport: transport, proxy: proxy, postgres: postgres, guardLink: guardLink,
                address: address, driver: driver, peers: peers, signals: signals)
        }
    }

    func connect(_ desk: ArchiveDesk) { archives.withLock { $0 = desk } }

    func joined(_ cluster: ClusterID) {
        self.cluster.withLock { $0 = cluster }
        parts.withLock { $0 }?.guardLink?.setCluster(cluster)
    }

    package func perform(_ effect: NodeEffect) {
        guard let p = parts.withLock({ $0 }) else { return }
        switch effect {
        case .persist(let batch): p.storage.persist(batch)
        case .send(let member, let message, let lane): send(message, to: member, lane, p.transport)
        case .act(let id, let action): p.postgres?.perform(id, action)
        case .startStandby: p.guardLink?.startServer(inPlace: nil)
        case .startInPlace(let token): p.guardLink?.startServer(inPlace: token)
        case .adopt(let role): p.guardLink?.adoptServer(as: role)
        case .orderGuard(let order): p.guardLink?.order(order)
        case .persistPledge(let ballot): persist(ballot, p)
        case .observeEvery(let interval): p.postgres?.setInterval(interval)
        case .peers(let endpoints):
            p.peers.setMembers(endpoints)
            p.postgres?.admit(Set(endpoints.map(\.host)).sorted()) { self.log($0) }
            Task { [driver = p.driver, peers = p.peers] in await peers.refreshAdmission(from: driver) }
        case .saveSnapshot(let snapshot, let index): p.storage.save(snapshot, compactBefore: index)
        case .reply, .readConfirmed: break
        case .virtualAddress(let order): p.address?.apply(order)
        case .route(let table): p.proxy.apply(table)
        case .log(let event): log(event)
        case .measured(let measurement): metrics.note(measurement)
        case .digest(let state, let index): StateDigester.digest(state, at: index) { p.driver.submit(.stateDigested($0)) }
        case .mayStop(let why):
            log(NodeEvent(.info, "daemon.may_stop", "the daemon may stop: \(why)"))
            allowStop()
        case .archive(let snapshot): archives.withLock { $0 }?.deliver(snapshot)
        case .halt(let code, let reason): fatal(BastionError(code, reason))
        }
    }

    package func leaderIsKnown(_ isKnown: Bool) { parts.withLock { $0 }?.peers.setLeaderKnown(isKnown) }

    package func committed(_ index: LogIndex) { parts.withLock { $0 }?.storage.noteCommit(index) }

    private func send(_ message: PeerMessage, to member: MemberID, _ lane: NodeEffect.Lane, _ transport: PeerTransport) {
        do {
            let bytes = try message.encoded()
            switch lane {
            case .urgent: transport.send(to: member, lane: .urgent, bytes)
            case .bulk: transport.send(to: member, lane: .bulk, bytes)
            // A newer report replaces one that still waits (RA21).
            case .report: transport.send(to: member, lane: .urgent, bytes, replaceKey: 1)
            }
        } catch {
            log(NodeEvent(.error, "peer.encode_failed", "a message could not be encoded", ["error": "\(error)"]))
        }
    }

    private func persist(_ ballot: FencingToken, _ p: Parts) {
        guard let cluster = cluster.withLock({ $0 }) else { return }
        pledgeQueue.async {
            do throws(BastionError) {
                try self.pledges.save(ballot, cluster)
                p.driver.submit(.pledgePersisted(ballot))
            } catch {
                self.log(NodeEvent(.error, "pledge.failed", error.message, ["detail": error.detail ?? ""]))
            }
        }
    }

    func log(_ event: NodeEvent) {
        let level: LogLine.Level =
            switch event.level {
            case .debug: .debug
            case .info: .info
            case .warning: .warn
            case .error: .error
            }
        logs.write(level, event.message, event.fields.merging(["event": event.name]) { own, _ in own })
    }

    func fatal(_ error: BastionError) { parts.withLock { $0 }?.signals.fail(error) }

    // MARK: Stopping

    private func allowStop() {
        let waiting = mayStop.withLock { state in
            state.isAllowed = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    func waitForMayStop(atMost limit: Duration) async {
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            allowStop()
        }
        await withCheckedContinuation { continuation in
            let isAllowed = mayStop.withLock { state in
                if !state.isAllowed { state.waiting = continuation }
                return state.isAllowed
            }
            if isAllowed { continuation.resume() }
        }
        timer.cancel()
    }
}
