import CLinux
import ClusterModel
import FailoverCore
import Glibc

/// The shell around `GuardCore`: turns descriptors into inputs and carries effects out.
final class GuardLoop {
    private enum Source: UInt64 {
        case listener = 1
        case connection, newcomer, timer, idleTimer, postmaster, signals, dataDirectory, terminator
    }

    let arguments: GuardArguments
    private let limitations: [String]
    private let epoll: Int32
    private let listener: Int32
    private let timer: Int32
    private let idleTimer: Int32
    private let signals: Int32
    private let inotify: Int32
    private let terminator: GuardTerminator?

    private(set) var core: GuardCore
    var processes: ServerProcesses
    private var connection: GuardSocket?
    /// A connection that has not said hello yet. Only after a good hello it replaces `connection`.
    private var newcomer: GuardSocket?
    private var watch: Int32 = -1
    /// Short-lived children that write the `promote` file.
    private var helpers: [Int32] = []
    var pending: [GuardInput] = []
    private var log = GuardLog()
    private var isRunning = true
    private var isCountingIdleTime = false

    init(arguments: GuardArguments, limitations: [String], terminator: GuardTerminator?) throws(BastionError) {
        self.arguments = arguments
        self.limitations = limitations
        self.terminator = terminator
        var generator = SystemRandomNumberGenerator()
        let incarnation = GuardIncarnation(rawValue: UInt128.random(in: 1...UInt128.max, using: &generator))
        core = GuardCore(
            incarnation: incarnation, clusterID: arguments.clusterID, saved: GuardFiles.load(arguments.statePath))
        processes = ServerProcesses(dataDirectory: arguments.dataDirectory, inProcess: arguments.inProcess)
        epoll = pgb_epoll_create()
        timer = pgb_timerfd_create()
        idleTimer = pgb_timerfd_create()
        inotify = pgb_inotify_create()
        signals = arguments.inProcess ? -1 : pgb_signalfd_create([SIGTERM, SIGCHLD], 2)
        guard [epoll, timer, idleTimer, inotify].allSatisfy({ $0 >= 0 }), arguments.inProcess || signals >= 0 else {
            throw GuardFiles.failure("could not make the guard's descriptors")
        }
        listener = pgb_seqpacket_listen(arguments.socketPath)
        guard listener >= 0 else { throw GuardFiles.failure("could not listen on \"\(arguments.socketPath)\"") }
    }

    deinit {
        for descriptor in [epoll, listener, timer, idleTimer, signals, inotify] where descriptor >= 0 {
            close(descriptor)
        }
    }

    func run() throws(BastionError) {
        observe(listener, .listener)
        observe(timer, .timer)
        observe(idleTimer, .idleTimer)
        observe(inotify, .dataDirectory)
        if signals >= 0 { observe(signals, .signals) }
        if let terminator { observe(terminator.descriptor, .terminator) }
        watchDataDirectory(arguments.dataDirectory)
        GuardLog.write("guard.started pid=\(getpid()) incarnation=\(core.status.incarnation.short)")
        feed(.tick)
        var events = [pgb_event](repeating: pgb_event(), count: 16)
        while isRunning {
            countIdleTime()
            let count = pgb_epoll_wait(epoll, &events, Int32(events.count), -1)
            guard count >= 0 else { throw GuardFiles.failure("could not wait for events") }
            for event in events[..<Int(count)] where isRunning {
                if let source = Source(rawValue: event.token) { handle(source) }
            }
            reapHelpers()
        }
        unlink(arguments.socketPath)
        GuardLog.write("guard.ended state=\(core.status.state.rawValue)")
    }

    private func observe(_ descriptor: Int32, _ source: Source) {
        _ = pgb_epoll_add(epoll, descriptor, PGB_EPOLLIN, source.rawValue)
    }

    func observePostmaster() {
        if processes.pidfd >= 0 { observe(processes.pidfd, .postmaster) }
    }

    private func handle(_ source: Source) {
        switch source {
        case .timer: if pgb_timerfd_drain(timer) == 1 { feed(.tick) }
        case .postmaster: postmasterMayHaveEnded()
        case .signals: readSignals()
        case .terminator: if pgb_eventfd_drain(terminator?.descriptor ?? -1) == 1 { feed(.terminate) }
        case .dataDirectory: readDataDirectoryEvents()
        case .listener: acceptNewcomer()
        case .newcomer: greetNewcomer()
        case .connection: readOrders()
        case .idleTimer:
            guard pgb_timerfd_drain(idleTimer) == 1, connection == nil, core.isIdle else { return }
            GuardLog.write("guard.idle")
            isRunning = false
        }
    }

    // MARK: The core

    /// One input and everything that follows from it at once (answers to `spawn` and `sweep`).
    func feed(_ input: GuardInput) {
        let before = core.status.state
        pending.append(input)
        while !pending.isEmpty {
            let next = pending.removeFirst()
            for effect in core.step(next, now: SystemClock.now()) { perform(effect) }
        }
        let status = core.status
        guard status.state != before, status.state != .fencing else { return }
        let reason = status.fenceReason.map { " reason=\"\($0)\"" } ?? ""
        log.write(
            "guard.state state=\(status.state.rawValue) token=\(status.token?.description ?? "none")\(reason)",
            mayWait: !status.mayBeWritable)
    }

    private func perform(_ effect: GuardEffect) {
        switch effect {
        case .spawn(let spec, _): spawn(spec)
        case .takeCustody(let pid): takeCustody(of: pid)
        case .identifyStranger: pending.append(.strangerIdentified(processes.stranger()))
        case .signalPostmaster(let signal): send(signal)
        case .sweep(let kill):
            pending.append(.sweepResult(processesLeft: processes.sweep(signal: kill ? SIGKILL : 0)))
        case .report(let report): self.report(report)
        case .saveState: GuardFiles.save(core.saved, to: arguments.statePath)
        case .setTimer(nil): _ = pgb_timerfd_clear(timer)
        case .setTimer(let instant?): _ = pgb_timerfd_set(timer, instant.since(SystemClock.now()).inNanoseconds)
        case .exit: isRunning = false
        }
    }

    private func spawn(_ spec: PostmasterSpec) {
        guard processes.spawn(spec) else {
            return pending.append(.postmasterExited(waitStatus: 127 << 8))
        }
        observePostmaster()
        pending.append(.postmasterStarted(pid: processes.postmaster))
    }

    private func send(_ signal: PostmasterSignal) {
        switch signal {
        case .fastStop: processes.signal(SIGINT)
        case .immediate: processes.signal(SIGQUIT)
        case .stop: processes.signal(SIGSTOP)
        case .kill: processes.signal(SIGKILL)
        case .reload: processes.signal(SIGHUP)
        case .terminateBackends: _ = processes.sweep(signal: SIGTERM, sparePostmaster: true)
        case .promoteFileAndUSR1:
            let helper = processes.promote()
            if helper > 0 { helpers.append(helper) }
        }
    }

    // MARK: Processes

    private func postmasterMayHaveEnded() {
        guard processes.postmaster > 0 else { return }
        var status: Int32 = 0
        if pgb_wait(processes.postmaster, &status) == processes.postmaster { return postmasterEnded(status) }
        if processes.hasAdoptedEnded { postmasterEnded(PostmasterExit.unknownWaitStatus) }
    }

    private func postmasterEnded(_ status: Int32) {
        if processes.pidfd >= 0 { _ = pgb_epoll_remove(epoll, processes.pidfd) }
        processes.forget()
        feed(.postmasterExited(waitStatus: status))
    }

    private func readSignals() {
        while true {
            switch pgb_signalfd_read(signals) {
            case SIGTERM: feed(.terminate)
            case SIGCHLD: reapChildren()
            default: return
            }
        }
    }

    /// Orphaned backends and archive commands become children of the guard (child subreaper).
    private func reapChildren() {
        while true {
            var status: Int32 = 0
            let pid = pgb_wait(-1, &status)
            guard pid > 0 else { return }
            helpers.removeAll { $0 == pid }
            if pid == processes.postmaster { postmasterEnded(status) }
        }
    }

    private func reapHelpers() {
        helpers.removeAll { helper in
            var status: Int32 = 0
            return pgb_wait(helper, &status) != 0
        }
    }

    // MARK: The data directory (GU3)

    /// Watches the directory a server is about to be started in. Earlier events are of no interest.
    func watchDataDirectory(_ path: String) {
        if watch >= 0 { _ = pgb_inotify_unwatch(inotify, watch) }
        watch = pgb_inotify_watch(inotify, path)
        _ = pgb_inotify_read(inotify, "standby.signal", "promote", "postmaster.pid")
    }

    private func readDataDirectoryEvents() {
        let seen = pgb_inotify_read(inotify, "standby.signal", "promote", "postmaster.pid")
        if seen & (PGB_FIRST_FILE_GONE | PGB_EVENTS_LOST) != 0,
            access(processes.dataDirectory + "/standby.signal", F_OK) != 0
        {
            feed(.rogueSignal(.standbySignalVanished))
        }
        if seen & PGB_SECOND_FILE_MADE != 0 { feed(.rogueSignal(.foreignPromoteFile)) }
        if seen & PGB_THIRD_FILE_MADE != 0 { feed(.rogueSignal(.foreignPostmaster)) }
    }

    // MARK: The daemon

    private func acceptNewcomer() {
        let descriptor = pgb_accept(listener)
        guard descriptor >= 0 else { return }
        let socket = GuardSocket(descriptor: descriptor)
        guard socket.peer().isSameUser else { return }
        drop(&newcomer)
        newcomer = socket
        observe(descriptor, .newcomer)
    }

    private func greetNewcomer() {
        guard let socket = newcomer else { return }
        switch socket.receive() {
        case .nothing: return
        case .end: drop(&newcomer)
        case .packet(let bytes):
            newcomer = nil
            if let reason = refusalOfHello(bytes) {
                _ = socket.send(GuardMessage.rejected(reason))
                var rejected: GuardSocket? = socket
                return drop(&rejected)
            }
            drop(&connection)
            connection = socket
            _ = pgb_epoll_modify(epoll, socket.descriptor, PGB_EPOLLIN, Source.connection.rawValue)
            let welcome = GuardWelcome(
                version: GuardWire.version, instant: SystemClock.now(), processID: getpid(),
                dataDirectory: arguments.dataDirectory, limitations: limitations, status: core.status)
            if !socket.send(GuardMessage.welcome(welcome)) { drop(&connection) }
        }
    }

    /// Why the side that sent `bytes` is not this guard's daemon; nil if it is.
    private func refusalOfHello(_ bytes: [UInt8]) -> String? {
        let now = SystemClock.now()
        guard let message = decode(bytes), case .hello(let hello) = message else {
            return "the first message is no hello"
        }
        guard hello.version == GuardWire.version else {
            return "the guard speaks version \(GuardWire.version), the daemon \(hello.version)"
        }
        guard GuardWire.agree(hello.instant, now) else {
            return "the clocks of daemon and guard differ by more than 50 ms"
        }
        guard let clusterID = hello.clusterID else { return nil }
        feed(.cluster(clusterID))
        if core.clusterID == clusterID { return nil }
        // 4.12: under a lease of the former cluster it listens, when nobody else is there: a restored cluster may accept what
        // runs here.
        if core.claimedBy == clusterID, connection == nil { return nil }
        if let own = core.clusterID { feed(.cluster(own)) }
        return "the guard holds a lease of another cluster"
    }

    private func readOrders() {
        while isRunning, let socket = connection {
            switch socket.receive() {
            case .nothing: return
            case .end: drop(&connection)
            case .packet(let bytes):
                guard let message = decode(bytes), case .order(let order) = message else {
                    log.write("guard.message_refused bytes=\(bytes.count)", mayWait: !core.status.mayBeWritable)
                    return drop(&connection)
                }
                carryOut(order)
            }
        }
    }

    private func carryOut(_ order: GuardOrder) {
        switch order {
        case .startStandby(let spec) where processes.postmaster == 0:
            // Watched first and looked at second: a file that vanishes in between is noticed.
            watchDataDirectory(spec.dataDirectory)
            feed(
                .order(
                    order, standbySignal: GuardFiles.standbySignalIsDurable(spec.dataDirectory),
                    processes: countProcesses(of: spec)))
        case .startInPlace(let spec, _) where processes.postmaster == 0:
            watchDataDirectory(spec.dataDirectory)
            feed(
                .order(
                    order, standbySignal: access(spec.dataDirectory + "/standby.signal", F_OK) == 0,
                    processes: countProcesses(of: spec)))
        case .adopt(let request) where processes.postmaster == 0: adopt(order, request)
        default:
            feed(.order(order))
        }
    }

    private func decode(_ bytes: [UInt8]) -> DaemonMessage? {
        do { return try GuardWire.decode(DaemonMessage.self, from: bytes) } catch { return nil }
    }

    /// Taken out of epoll first: a child between fork and exec may still hold a copy of the descriptor.
    private func drop(_ socket: inout GuardSocket?) {
        guard let dropped = socket else { return }
        _ = pgb_epoll_remove(epoll, dropped.descriptor)
        dropped.shutDown()
        socket = nil
    }

    /// A daemon that does not read misses reports; it pings, and the answer tells it everything.
    private func report(_ report: GuardReport) {
        guard let socket = connection, !socket.send(GuardMessage.report(report)) else { return }
        if errno != EAGAIN && errno != EWOULDBLOCK { drop(&connection) }
    }

    private func countIdleTime() {
        let counts = connection == nil && core.isIdle
        guard counts != isCountingIdleTime else { return }
        isCountingIdleTime = counts
        if counts {
            _ = pgb_timerfd_set(idleTimer, arguments.idleLimit.inNanoseconds)
        } else {
            _ = pgb_timerfd_clear(idleTimer)
        }
    }
}
