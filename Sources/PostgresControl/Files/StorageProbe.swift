import ClusterModel
import Dispatch
import Glibc
import Synchronization

/// Writes and flushes a small file every 500 ms on a thread of its own, while the server runs (DE4-DE6).
final class StorageProbe: Sendable {
    /// A write that takes longer is a stall.
    static let stallAfter: Duration = .seconds(2)
    static let interval: DispatchTimeInterval = .milliseconds(500)

    private struct State: Sendable {
        var isEnabled = false
        var beganAt: Int64?
        var hasHeadroom = false
        var lastResult = StorageHealth.healthy
    }
    private let state = Mutex(State())
    private let path: String
    /// Given up once when the disk is full, so that PostgreSQL can go on until somebody comes (DE5).
    private let headroom: String
    static let headroomBytes: UInt64 = 16_777_216
    private let timer: Mutex<(any DispatchSourceTimer)?> = Mutex(nil)

    init(walDirectory: String) {
        path = walDirectory + "/pgbastion.probe"
        headroom = walDirectory + "/pgbastion.headroom"
    }

    deinit { stop() }

    /// Never blocks, also when the disk does.
    var health: StorageHealth {
        state.withLock { state in
            guard state.isEnabled else { return .healthy }
            if let beganAt = state.beganAt,
                Deadline.now() - beganAt > StorageProbe.stallAfter.wholeMilliseconds * 1_000_000
            {
                return .stalled
            }
            return state.lastResult
        }
    }

    func enable() {
        let isNew = state.withLock { state in
            defer { state.isEnabled = true }
            return !state.isEnabled
        }
        guard isNew else { return }
        timer.withLock { timer in
            guard timer == nil else { return }
            let source = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "pgbastion.probe"))
            source.schedule(deadline: .now(), repeating: StorageProbe.interval)
            source.setEventHandler { [weak self] in self?.probe() }
            source.resume()
            timer = source
        }
    }

    func disable() {
        let was = state.withLock { state in
            defer {
                state.isEnabled = false
                state.lastResult = .healthy
            }
            return state.isEnabled
        }
        if was { stop() }
    }

    private func stop() {
        timer.withLock { timer in
            timer?.cancel()
            timer = nil
        }
    }

    private func probe() {
        let isFirst = state.withLock { state in
            state.beganAt = Deadline.now()
            defer { state.hasHeadroom = true }
            return !state.hasHeadroom
        }
        let result = StorageProbe.write(path)
        if result == .full { unlink(headroom) }
        if isFirst && result == .healthy { reserveHeadroom() }
        state.withLock { state in
            state.beganAt = nil
            state.lastResult = result
        }
    }

    /// Only on a disk with plenty of space.
    private func reserveHeadroom() {
        guard access(headroom, F_OK) != 0,
            DurableFiles.freeBytes(at: DurableFiles.parent(of: path)) ?? 0 > 64 * StorageProbe.headroomBytes
        else { return }
        let file = open(headroom, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        if posix_fallocate(file, 0, off_t(StorageProbe.headroomBytes)) != 0 { unlink(headroom) }
        close(file)
    }

    private static func write(_ path: String) -> StorageHealth {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        // The directory is being moved or does not exist yet: no statement about the disk.
        guard file >= 0 else { return errno == ENOENT ? .healthy : health(of: errno) }
        defer { close(file) }
        var stamp = Deadline.now()
        let written = withUnsafeBytes(of: &stamp) { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard written == MemoryLayout<Int64>.size else { return health(of: errno) }
        return fsync(file) == 0 ? .healthy : health(of: errno)
    }

    private static func health(of code: Int32) -> StorageHealth {
        code == ENOSPC || code == EDQUOT ? .full : .broken
    }
}
