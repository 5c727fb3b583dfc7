import ClusterModel
import NIOCore

/// Keeps one lane to one peer connected: dials, waits, dials again. Used on the transport's event loop only.
final class LaneLink {
    let address: PeerAddress
    let lane: PeerLane
    private(set) var connection: PeerConnection?

    private let core: TransportCore
    private var failures = 0
    private var isStopped = false
    private var isDialling = false
    private var retry: Scheduled<Void>?
    /// Why the last attempt failed: the same reason is told once.
    private var lastFailure: BastionError?

    init(_ address: PeerAddress, _ lane: PeerLane, core: TransportCore) {
        self.address = address
        self.lane = lane
        self.core = core
    }

    func start() { dial() }

    func stop() {
        isStopped = true
        retry?.cancel()
        retry = nil
        connection?.close()
    }

    /// The peer was heard from: no need to wait any longer.
    func dialNow() {
        guard !isStopped, !isDialling, connection == nil else { return }
        retry?.cancel()
        dial()
    }

    private func dial() {
        guard !isStopped, connection == nil, !isDialling else { return }
        isDialling = true
        core.dial(host: address.host, port: address.port, purpose: lane.purpose, expected: address.memberID) {
            [self] result in
            isDialling = false
            switch result {
            case .success(let connection): opened(connection)
            case .failure(let error): failed(error)
            }
        }
    }

    private func opened(_ connection: PeerConnection) {
        guard !isStopped else {
            connection.close()
            return
        }
        self.connection = connection
        (failures, lastFailure) = (0, nil)
        connection.onWritable = { [self] _ in core.drain(address.memberID) }
        connection.onClose = { [self] _ in
            self.connection = nil
            again()
        }
        core.drain(address.memberID)
    }

    private func failed(_ error: BastionError) {
        guard !isStopped else { return }
        core.discardQueue(address.memberID, lane)
        if error != lastFailure { core.onEvent(.dialFailed(address, error)) }
        lastFailure = error
        again()
    }

    /// Waits twice as long after every failure, within the limits, with up to a quarter of jitter.
    private func again() {
        guard !isStopped else { return }
        let range = core.settings.dialBackoff
        let doubled = range.lowerBound.inNanoseconds << Int64(min(failures, 10))
        let base = min(doubled, range.upperBound.inNanoseconds)
        failures += 1
        let delay = base * 3 / 4 + core.jitter(upTo: base / 4 + 1)
        retry = core.loop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) { [weak self] in self?.dial() }
    }
}
