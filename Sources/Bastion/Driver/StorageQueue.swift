import ClusterModel
import Dispatch
import RaftCore
import RaftIO
import Synchronization

/// The thread that makes Raft's writes durable, in order; batches that wait together become one transaction.
package final class StorageQueue: Sendable {
    private let queue = DispatchQueue(label: "pgbastion.storage", qos: .userInitiated)
    private let store: RaftLogStore
    private let waiting = Mutex<[Job]>([])
    private let committed = Mutex<LogIndex?>(nil)
    private let onPersisted: @Sendable (UInt64) -> Void
    private let onSnapshot: @Sendable (Duration) -> Void
    private let onFatal: @Sendable (BastionError) -> Void
    private let onProblem: @Sendable (BastionError) -> Void

    private enum Job: Sendable {
        case persist(PersistBatch)
        case snapshot(Snapshot, compactBefore: LogIndex)
        case adopt(ClusterID, epoch: UInt32, done: @Sendable (Bool) -> Void)
    }

    package init(
        store: RaftLogStore, onPersisted: @escaping @Sendable (UInt64) -> Void,
        onProblem: @escaping @Sendable (BastionError) -> Void,
        onSnapshot: @escaping @Sendable (Duration) -> Void = { _ in }, onFatal: @escaping @Sendable (BastionError) -> Void
    ) {
        self.onSnapshot = onSnapshot
        self.store = store
        self.onPersisted = onPersisted
        self.onProblem = onProblem
        self.onFatal = onFatal
    }

    package func persist(_ batch: PersistBatch) { add(.persist(batch)) }
    package func save(_ snapshot: Snapshot, compactBefore: LogIndex) { add(.snapshot(snapshot, compactBefore: compactBefore)) }

    /// Noted behind everything that was handed over before; of several that wait, only the last one is.
    package func noteCommit(_ index: LogIndex) {
        let isFirst = committed.withLock { waiting in
            defer { waiting = index }
            return waiting == nil
        }
        guard isFirst else { return }
        queue.async {
            let index = self.committed.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            if let index { self.store.noteCommit(index) }
        }
    }

    /// RA19: the cluster id of the leader that adds this node, durable before anything is answered.
    package func adopt(_ cluster: ClusterID, epoch: UInt32, done: @escaping @Sendable (Bool) -> Void) {
        add(.adopt(cluster, epoch: epoch, done: done))
    }

    /// ST10: a clean stop leaves a complete directory.
    package func close() {
        queue.sync {
            do throws(BastionError) { try store.close() } catch { onProblem(error) }
        }
    }

    private func add(_ job: Job) {
        waiting.withLock { $0.append(job) }
        queue.async { self.work() }
    }

    private func work() {
        let jobs = waiting.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
        var batches: [PersistBatch] = []
        for job in jobs {
            if case .persist(let batch) = job {
                batches.append(batch)
                continue
            }
            write(&batches)
            carryOut(job)
        }
        write(&batches)
    }

    private func write(_ batches: inout [PersistBatch]) {
        guard let last = batches.last else { return }
        defer { batches = [] }
        // ST7: a full disk acknowledges nothing and is tried again; everything else ends the process (ST8).
        // Limit: the loop ends with the process; systemd or an operator makes room or stops it.
        while true {
            do throws(BastionError) {
                try store.persist(batches)
                return onPersisted(last.number)
            } catch {
                guard error.code == .unavailable else { return onFatal(error) }
                onProblem(error)
                pause(milliseconds: 500)
            }
        }
    }

    private func carryOut(_ job: Job) {
        do throws(BastionError) {
            switch job {
            case .persist: break
            case .snapshot(let snapshot, let index):
                let begin = ContinuousClock.now
                try store.saveSnapshot(snapshot)
                onSnapshot(ContinuousClock.now - begin)
                try store.compact(before: index)
            case .adopt(let cluster, let epoch, let done):
                do throws(BastionError) {
                    try store.adopt(clusterID: cluster, epoch: epoch)
                    done(true)
                } catch {
                    done(false)
                    throw error
                }
            }
        } catch {
            if error.code == .io || error.code == .corrupt { onFatal(error) } else { onProblem(error) }
        }
    }
}
