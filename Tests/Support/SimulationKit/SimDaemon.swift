import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// The daemon's shell around `BastionNode`: what `NodeDriver` and its links do, over the simulated machine.
package final class SimDaemon {
    unowned let machine: SimMachine
    private var sim: Simulation { machine.sim }
    package let process = SimProcess()
    package private(set) var node: BastionNode?
    package private(set) var route = RoutingTable()
    package private(set) var stepCount = 0
    private var replies: [UInt64: (Result<ClusterReply, BastionError>) -> Void] = [:]
    private var nextRequest: UInt64 = 0
    private var observeInterval = seconds(1)
    private var observation = 0
    private var workerBusyUntil: Int64 = 0
    private var isStarting = false
    private var isRemoved = false
    private var progress: Progress?
    private var isStopping = false
    /// The guard as this daemon knows it.
    private var guardStatus: GuardStatus?
    private var silentTicks = 0
    /// Dies with the daemon: a connection to the guard.
    private(set) var isConnected = false
    private var wireFreeAt: Int64 = 0

    init(_ machine: SimMachine) { self.machine = machine }

    // MARK: Life

    func start(after delay: Int64) {
        let lives = process.life
        sim.after(delay) { [self] in
            guard machine.isUp, !process.isAlive, process.life == lives, !isRemoved else { return }
            begin()
        }
    }

    private func begin() {
        process.begin()
        isStopping = false
        let identity = NodeIdentity(
            name: machine.name, memberID: machine.memberID, daemon: DaemonIncarnation(rawValue: sim.random.wide()),
            host: machine.name.rawValue, raftPort: 7400, postgresPort: 5432, kind: .data, clusterName: "simulated",
            clusterID: machine.isBootstrap ? machine.cluster : nil, mayInitialise: machine.isBootstrap, version: "1")
        do {
            node = try BastionNode(
                identity: identity, durable: machine.disk.durable, settings: sim.plan.settings,
                pledgedBallot: machine.disk.pledge, seed: sim.random.number(), now: machine.stamp)
        } catch {
            return sim.violate("RA14", "\(machine.name) cannot read its own log: \(error)")
        }
        sim.tell("\(machine.name) daemon starts")
        sim.checks.raft.started(machine.index, node)
        (route, guardStatus, replies, isStarting, isConnected) = (RoutingTable(), nil, [:], false, false)
        (observeInterval, workerBusyUntil, progress) = (seconds(1), 0, nil)
        sim.after(sim.random.time(0...50), on: process) { [self] in tick() }
        connectGuard()
        observe()
        if sim.plan.settings.virtualAddress != nil { machine.address.daemonStarted() }
    }

    /// - Parameter losing: Power is lost; else what was written survives in the kernel's memory.
    func end(losing: Bool) {
        guard process.isAlive else { return }
        sim.tell("\(machine.name) daemon ends")
        process.end()
        let written = machine.disk.waitingCount
        machine.disk.lose(keeping: losing ? sim.random.int(0...written) : written)
        node = nil
        isConnected = false
        route = RoutingTable()
        machine.client.proxyDied()
        machine.postgres.daemonDied()
    }

    package func kill() {
        end(losing: false)
        start(after: sim.random.time(100...1500))
    }

    func forgetRemoval() { isRemoved = false }

    // MARK: Inputs

    private func tick() {
        sim.after(milliseconds(50), on: process) { [self] in tick() }
        watchGuard()
        feed(.tick)
    }

    func feed(_ input: NodeInput) {
        let wallTime = 1_700_000_000_000 + sim.now / 1_000_000 + machine.wallClockStep
        guard process.isAlive, let effects = node?.step(input, now: machine.stamp, wallTime: wallTime) else { return }
        stepCount += 1
        sim.note(UInt64(machine.index) << 32 | UInt64(effects.count))
        sim.note(UInt64(sim.now))
        observeProgress()
        for effect in effects { perform(effect) }
    }

    /// Copying the node costs more than stepping it, so the checkers look only when something they judge has changed.
    private func observeProgress() {
        guard let term = node?.raft.term, let commit = node?.raft.commitIndex, let role = node?.raft.role,
            let last = node?.raft.lastIndex, let applied = node?.raft.appliedIndex
        else { return }
        sim.note(term.rawValue << 40 | commit.rawValue)
        let now = Progress(term: term, role: role, last: last, applied: applied)
        guard now != progress else { return }
        progress = now
        if let node { sim.checks.observe(machine, node, sim) }
    }

    private struct Progress: Equatable {
        var term: Term
        var role: RaftRole
        var last: LogIndex
        var applied: LogIndex
    }

    package func request(
        _ request: ClusterRequest, peer: PeerIdentity? = nil, overrides: [String] = [],
        _ done: @escaping (Result<ClusterReply, BastionError>) -> Void
    ) {
        nextRequest += 1
        replies[nextRequest] = done
        guard let id = RequestID("request-\(machine.name)-\(process.life)-\(nextRequest)") else { return }
        feed(.request(id: nextRequest, request, RequestMetadata(requestID: id, actor: "operator", overrides: overrides), peer: peer))
    }

    package func stop() {
        isStopping = true
        feed(.stop)
    }

    /// It runs, and was not asked to stop.
    var isAtWork: Bool { process.isAlive && !process.isFrozen && !isStopping }

    package func startAgain() { start(after: milliseconds(50)) }

    // MARK: Effects

    private func perform(_ effect: NodeEffect) {
        switch effect {
        case .persist(let batch): persist(batch)
        case .send(let to, let message, _): sim.send(message, from: machine, to: to)
        case .act(let id, let action): act(id, action)
        case .startStandby: startServer(inPlace: nil)
        case .startInPlace(let token): startServer(inPlace: token)
        case .adopt(let role):
            guard let pid = machine.postgres.stranger?.pid else { return }
            order(.adopt(AdoptionRequest(role: role, pid: pid, program: "postgres", dataDirectory: "data", port: 5432)))
        case .orderGuard(let order): self.order(order)
        case .persistPledge(let ballot):
            let delay = machine.disk.finish(now: sim.now, duration: sim.random.time(sim.plan.fsync)) - sim.now
            sim.after(delay, on: process) { [self] in
                machine.disk.savePledge(ballot)
                feed(.pledgePersisted(ballot))
            }
        case .observeEvery(let interval):
            let hurries = interval.inNanoseconds < observeInterval
            observeInterval = interval.inNanoseconds
            if hurries { observe() }
        case .peers: break
        case .saveSnapshot(let snapshot, _):
            let delay = machine.disk.finish(now: sim.now, duration: sim.random.time(5...50)) - sim.now
            sim.after(delay, on: process) { [self] in machine.disk.save(snapshot) }
        case .reply(let id, let result):
            sim.tell("\(machine.name) answers: \(result)")
            replies.removeValue(forKey: id)?(result)
        // The simulator compares whole states (CH5).
        case .readConfirmed, .measured, .digest: break
        case .archive(let snapshot): sim.restore?.archived(snapshot)
        case .virtualAddress(let order): machine.address.obey(order)
        case .route(let table):
            route = table
            machine.client.routeChanged(table)
        case .log(let event):
            sim.tell(
                "\(machine.name) \(event.level.rawValue) \(event.name): \(event.message) \(event.fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))"
            )
        case .mayStop(let why):
            sim.tell("\(machine.name) may stop: \(why)")
            machine.address.daemonStopped()
            end(losing: false)
        case .halt(let code, let why):
            sim.tell("\(machine.name) halts: \(why)")
            if code == .removed { isRemoved = true } else { sim.violate("halt", "\(machine.name): \(why)") }
            end(losing: false)
        }
    }

    private func persist(_ batch: PersistBatch) {
        machine.disk.write(batch)
        let delay = machine.disk.finish(now: sim.now, duration: sim.random.time(sim.plan.fsync)) - sim.now
        sim.after(delay, on: process) { [self] in
            machine.disk.persisted(through: batch.number)
            feed(.persisted(through: batch.number))
        }
    }

    // MARK: PostgreSQL

    private func act(_ id: UInt64, _ action: PostgresAction) {
        let start = max(sim.now, workerBusyUntil)
        let duration = machine.postgres.duration(of: action)
        workerBusyUntil = start + duration
        sim.after(start - sim.now, on: process) { [self] in
            machine.postgres.begin(action)
        }
        sim.after(start + duration - sim.now, on: process) { [self] in
            let outcome = machine.postgres.finish(action)
            if case .failed(let error) = outcome { sim.tell("\(machine.name) \(action.name) failed: \(error.message)") }
            // The core sees the world after the action before it hears that the action ended.
            feed(.observed(machine.postgres.facts))
            feed(.effectFinished(id: id, outcome))
        }
    }

    private func observe() {
        observation += 1
        let current = observation
        sim.after(sim.random.time(1...6), on: process) { [self] in
            guard current == observation else { return }
            feed(.observed(machine.postgres.facts))
            guard current == observation else { return }
            sim.after(observeInterval, on: process) { [self] in if current == observation { observe() } }
        }
    }

    private func startServer(inPlace token: FencingToken?) {
        guard !isStarting else { return }
        isStarting = true
        sim.after(sim.random.time(5...30), on: process) { [self] in
            isStarting = false
            order(token.map { .startInPlace(SimGuard.specification, token: $0) } ?? .startStandby(SimGuard.specification))
        }
    }

    // MARK: Guard

    private func order(_ order: GuardOrder) {
        guard isConnected else { return }
        wireFreeAt = max(wireFreeAt, sim.now + sim.random.time(0.05...0.3))
        sim.after(wireFreeAt - sim.now, on: machine.guardian.process) { [self] in machine.guardian.obey(order) }
    }

    private func connectGuard() {
        guard !isConnected else { return }
        if !machine.guardian.process.isAlive { machine.guardian.start() }
        let life = process.life
        sim.after(sim.random.time(5...40), on: machine.guardian.process) { [self] in
            guard process.isAlive, process.life == life else { return }
            let status = machine.guardian.welcome(daemon: life)
            machine.guardian.toDaemon { [self] in
                isConnected = true
                reported(.status(status))
            }
        }
        // Nobody answered: the guard is frozen; it is killed with its server.
        let guardLife = machine.guardian.process.life
        sim.after(seconds(1), on: process) { [self] in
            if !isConnected, machine.guardian.process.life == guardLife { takeOver() }
        }
    }

    func reported(_ report: GuardReport) {
        silentTicks = 0
        let before = guardStatus
        guardStatus = report.status
        feed(.guardReported(report))
        if before?.postmasterPID != guardStatus?.postmasterPID || before?.state != guardStatus?.state { observe() }
    }

    /// The kernel closed the connection: the guard died.
    func guardDied() {
        guard isConnected else { return }
        isConnected = false
        guardStatus = nil
        feed(.guardLost)
        sim.after(sim.random.time(20...60), on: process) { [self] in
            machine.postgres.sweep(kill: true)
            sim.after(milliseconds(20), on: process) { [self] in connectGuard() }
        }
    }

    private func watchGuard() {
        guard isConnected, let status = guardStatus, status.token != nil, let deadline = status.deadline else { return }
        order(.ping)
        // Counted in own ticks: a daemon that was frozen itself has read no answers yet.
        silentTicks += 1
        guard silentTicks > 7 else { return }
        guard machine.stamp.raw >= deadline.advanced(by: .milliseconds(-500)).raw else { return }
        takeOver()
    }

    private func takeOver() {
        sim.tell("\(machine.name) kills its silent guard")
        machine.guardian.kill(tellingDaemon: false)
        machine.postgres.sweep(kill: true)
        isConnected = false
        guardStatus = nil
        feed(.guardLost)
        sim.after(milliseconds(50), on: process) { [self] in connectGuard() }
    }
}

extension Simulation {
    /// Messages go through the shipped codec when the plan says so.
    func send(_ message: PeerMessage, from: SimMachine, to member: MemberID) {
        guard let target = machine(member) else { return }
        let sender = from.memberID
        var carried = message
        if plan.usesCodec {
            do { carried = try PeerMessage(bytes: try message.encoded()) } catch {
                return violate("codec", "a message does not survive its own encoding: \(error)")
            }
            if carried != message { violate("codec", "a message is changed by its own encoding: \(message)") }
        }
        for delay in network.arrivals(from.index, target.index) {
            after(delay) { [self] in
                // RA19: a handshake with another cluster is refused.
                guard network.isOpen(from.index, target.index), target.memberID == member, from.cluster == target.cluster,
                    !target.isSuspended
                else { return }
                target.daemon.process.receive(life: target.daemon.process.life) {
                    target.daemon.feed(.message(from: sender, carried))
                }
            }
        }
    }
}
