import ClusterModel
import FailoverCore
import Testing

/// A `GuardCore` with a clock under the test's hand and a model of its server: the postmaster and a number of backends.
struct CoreBench {
    var core: GuardCore
    var now = ClockStamp(raw: 1_000_000_000_000)
    /// Processes of the server besides the postmaster. A kill pass ends all but `unkillable`.
    var backends = 0
    var unkillable = 0
    var hasPostmaster = false
    /// A postmaster that the guard did not start.
    var stranger: StrangerServer?
    /// The postmaster ends on these signals; a test takes some away.
    var endsOn: Set<PostmasterSignal> = [.fastStop, .immediate, .kill]
    /// Every effect with its instant, in order.
    var trace: [(at: ClockStamp, effect: GuardEffect)] = []
    private var wakeAt: ClockStamp?

    static let spec = PostmasterSpec(
        program: "/usr/bin/postgres", arguments: [], environment: [], dataDirectory: "/data", logFile: "/log")

    init(saved: SavedGuardState? = nil, clusterID: ClusterID? = nil, settled: Bool = true) {
        core = GuardCore(incarnation: GuardIncarnation(rawValue: 7), clusterID: clusterID, saved: saved)
        guard settled else { return }
        feed(.tick)
        advance(.milliseconds(100))
    }

    var status: GuardStatus { core.status }
    var effects: [GuardEffect] { trace.map(\.effect) }
    var signals: [PostmasterSignal] {
        effects.compactMap { effect in if case .signalPostmaster(let signal) = effect { signal } else { nil } }
    }
    var timer: ClockStamp? { wakeAt }

    /// Feeds one input and carries the effects out on the model; returns the rule of a refusal.
    @discardableResult
    mutating func feed(_ input: GuardInput) -> String? {
        var refusal: String?
        var inputs = [input]
        while !inputs.isEmpty {
            for effect in core.step(inputs.removeFirst(), now: now) {
                trace.append((now, effect))
                switch effect {
                case .report(.refused(let rule, _, _)): refusal = rule
                case .setTimer(let instant): wakeAt = instant
                case .spawn:
                    hasPostmaster = true
                    inputs.append(.postmasterStarted(pid: 100))
                case .signalPostmaster(let signal):
                    if hasPostmaster, endsOn.contains(signal) {
                        hasPostmaster = false
                        inputs.append(.postmasterExited(waitStatus: signal == .kill ? 9 : 0))
                    }
                case .takeCustody(let pid):
                    let isThere = stranger?.pid == pid
                    if isThere { (stranger, hasPostmaster) = (nil, true) }
                    inputs.append(isThere ? .postmasterStarted(pid: pid) : .postmasterExited(waitStatus: -1))
                case .identifyStranger: inputs.append(.strangerIdentified(stranger))
                case .sweep(let kill):
                    inputs.append(.sweepResult(processesLeft: backends + (stranger == nil ? 0 : 1)))
                    if kill { (backends, stranger) = (min(backends, unkillable), nil) }
                default: break
                }
            }
        }
        return refusal
    }

    @discardableResult
    mutating func order(_ order: GuardOrder) -> String? { feed(.order(order)) }

    /// Lets time pass; every timer fires at its instant.
    mutating func advance(_ duration: Duration) {
        let end = now.advanced(by: duration)
        while let due = wakeAt, due.raw <= end.raw {
            if due.raw > now.raw { now.raw = due.raw }
            wakeAt = nil
            let count = trace.count
            feed(.tick)
            // The core sets its timer only when it changes; one that fired unchanged would be a busy loop.
            #expect(wakeAt == nil || trace.count > count, "a timer fired and nothing happened")
        }
        now.raw = end.raw
    }

    /// The machine sleeps: raw time stands still.
    mutating func suspend(_ duration: Duration) { now.suspended += duration.inNanoseconds }

    @discardableResult
    mutating func arm(
        _ token: UInt64, stampedAgo: Duration = .zero, milliseconds: Int64 = 3000, mode: LeaseMode = .timed
    ) -> String? {
        order(
            .arm(
                token: FencingToken(token), requestedAt: now.advanced(by: .zero - stampedAgo),
                durationMilliseconds: milliseconds, mode: mode))
    }

    mutating func crash() {
        hasPostmaster = false
        feed(.postmasterExited(waitStatus: 11))
    }

    static func standby() -> CoreBench {
        var bench = CoreBench()
        bench.order(.startStandby(spec))
        return bench
    }

    /// A primary under a timed lease of token 1, granted now.
    static func primary(milliseconds: Int64 = 3000, mode: LeaseMode = .timed) -> CoreBench {
        var bench = standby()
        bench.arm(1, milliseconds: milliseconds, mode: mode)
        bench.order(.promote(token: FencingToken(1)))
        return bench
    }

    func instant(of signal: PostmasterSignal) -> ClockStamp? {
        trace.first { $0.effect == .signalPostmaster(signal) }?.at
    }
}
