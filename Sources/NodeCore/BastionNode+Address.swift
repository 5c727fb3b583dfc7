import ClusterModel
import FailoverCore
import RaftCore

/// What this node knows and owes as to the virtual address.
struct AddressDuty: Sendable {
    let settings: VirtualAddressSettings
    var lease: VirtualAddressLease
    /// What the adapter said last.
    var status: VirtualAddressStatus?
    var order: VirtualAddressOrder?
    /// Rounds asked for in this term, by read context.
    var rounds: [UInt64: ClockStamp] = [:]
    var roundAskedAt: ClockStamp?
    /// What the leader of a term said when it handed over: the address is given up, and this was the end of its log.
    var notice: Notice?
    /// The end of this leader's own log when it gave the address up.
    var givenUpAt: LogIndex?
    var handOver: PendingHandOver?
    /// A release waits for the removal since then.
    var releaseWaitsSince: ClockStamp?

    struct Notice: Sendable, Hashable {
        var term: UInt64
        var index: UInt64
    }
    /// A transfer that waits for the removal of the address.
    struct PendingHandOver: Sendable {
        var target: ServerID?
        var reply: UInt64?
        var since: ClockStamp
        var order: UInt64
    }

    init(_ settings: VirtualAddressSettings) {
        self.settings = settings
        lease = VirtualAddressLease(rule: settings.follows)
    }

    /// Limit: a removal takes a millisecond; leadership waits no longer than this for it.
    static let removalLimit = Duration.milliseconds(300)
    /// Limit: by then the kernel has removed it (VI2), so a release need not wait any longer (VI4).
    static let releaseLimit = Duration.seconds(3)
    static let roundInterval = Duration.milliseconds(250)

    /// The adapter removed the address after the order of that number.
    func isGone(since number: UInt64) -> Bool { status.map { $0.order >= number && !$0.holds } ?? false }

    /// Why this node does not have the address; nil when it has it.
    var reason: String? {
        if status?.holds == true { return nil }
        switch order?.kind {
        case .drop(let reason): return reason
        case .hold: return status?.reason ?? "asking whether the address is in use"
        case nil: return "starting"
        }
    }

    var view: VirtualAddressView {
        var view = VirtualAddressView(address: settings.address, interface: settings.interface, follows: settings.follows)
        view.holds = status?.holds ?? false
        view.reason = reason
        view.missingCapabilities = status?.missingCapabilities ?? []
        view.duplicateMAC = status?.duplicateMAC
        return view
    }
}

/// Section 10: who has the virtual address.
extension BastionNode {
    /// Decides anew; called in every step, before the agent acts.
    mutating func holdAddress() {
        guard address != nil else { return }
        progressHandOver()
        takeAddressBack()
        askForRound()
        guard var duty = address else { return }
        let claim: VirtualAddressOrder.Kind
        switch duty.settings.follows {
        case .leader:
            let isHandingOver = duty.handOver != nil || raft.isTransferring
            claim =
                state.barrier != nil
                ? .drop(reason: "the cluster was restored, and no primary serves yet")
                : isHandingOver
                    ? .drop(reason: "leadership is being handed over") : duty.lease.leaderClaim(isReady: isReadyLeader, now: now)
        case .primary:
            if mayStillBeOurs(duty) { return }
            claim = duty.lease.primaryClaim(primaryAddressContext, now: now)
        }
        address = duty
        order(claim)
    }

    /// VI2: what a restart hold left on the interface is not touched before guard and state say whose it is. The lifetime it
    /// was given ends before anybody else may take it, and the lease is not released meanwhile.
    private func mayStillBeOurs(_ duty: AddressDuty) -> Bool {
        guard duty.order == nil, duty.status?.holds != false else { return false }
        return guardStatus == nil || raft.appliedIndex < min(replayTarget, raft.lastIndex)
    }

    private var primaryAddressContext: VirtualAddressLease.PrimaryContext? {
        let context = agentContext
        guard context.isAppointed, let primary = state.primary else { return nil }
        let operation = state.operation.flatMap { $0.kind == .switchover && $0.from == identity.name ? $0 : nil }
        return VirtualAddressLease.PrimaryContext(
            token: primary.token, basis: primary.basis, holdsLease: context.holdsLease,
            isHandingOver: operation?.phase == .stop || operation?.phase == .promote, deadline: guardStatus?.deadline,
            leaseDuration: .milliseconds(state.leases.durationMilliseconds), hasHold: guardStatus?.holdID != nil)
    }

    /// An order is repeated only when it says something new.
    private mutating func order(_ kind: VirtualAddressOrder.Kind, again: Bool = false) {
        guard let last = address?.order, !again else { return issue(kind) }
        switch (last.kind, kind) {
        case (.hold(let before, let outlived), .hold(let until, let outlives)):
            let gained = until.since(before)
            guard gained < .zero || gained >= .milliseconds(100) || outlived != outlives else { return }
        case (.drop(let before), .drop(let reason)):
            guard before != reason else { return }
        default: break
        }
        issue(kind)
    }

    private mutating func issue(_ kind: VirtualAddressOrder.Kind) {
        let order = VirtualAddressOrder(number: (address?.order?.number ?? 0) + 1, kind: kind)
        if case .drop(let reason) = kind, address?.order?.kind != kind {
            log(.info, "vip.not_assigned", "the virtual IP is not on this node: \(reason)", ["reason": reason])
        }
        address?.order = order
        effects.append(.virtualAddress(order))
    }

    // MARK: What happened

    mutating func addressReported(_ status: VirtualAddressStatus) {
        guard let settings = address?.settings else { return }
        let before = address?.status
        address?.status = status
        let fields = ["address": settings.address, "interface": settings.interface]
        if status.holds != before?.holds ?? false {
            if status.holds {
                log(.info, "vip.acquired", "the virtual IP \(settings.address) is on \(settings.interface)", fields)
            } else {
                log(.info, "vip.lost", "the virtual IP \(settings.address) is removed from \(settings.interface)", fields)
            }
        }
        if let reason = status.reason, reason != before?.reason {
            log(
                .warning, "vip.not_assigned", "the virtual IP is not on this node: \(reason)",
                fields.merging(["reason": reason]) { a, _ in a })
        }
        if let other = status.duplicateMAC, other != before?.duplicateMAC {
            log(.warning, "vip.duplicate", "somebody else answers for the virtual IP", fields.merging(["mac": other]) { a, _ in a })
        }
    }

    /// This node began to lead in this term.
    mutating func addressLeadershipBegan() {
        // VI1: exactly the next term, and nothing in the log after what the predecessor had: else it may have taken the
        // address back, or somebody else led in between.
        let expected = AddressDuty.Notice(term: raft.term.rawValue - 1, index: raft.lastIndex.rawValue - 1)
        let gaveUp = address?.notice == expected
        address?.lease.beganToLead(at: now, predecessorGaveUp: gaveUp)
        forgetRounds()
    }

    mutating func addressLeadershipEnded() {
        address?.lease.stoppedLeading()
        forgetRounds()
    }

    private mutating func forgetRounds() {
        address?.rounds = [:]
        address?.roundAskedAt = nil
        address?.givenUpAt = nil
        address?.notice = nil
    }

    mutating func addressGivenUp(term: UInt64, index: UInt64, from: MemberID) {
        guard term == raft.term.rawValue, from.rawValue == raft.leader?.rawValue else { return }
        address?.notice = AddressDuty.Notice(term: term, index: index)
    }

    /// A round that began after this instant shows that nobody else leads before it (RA7).
    private mutating func askForRound() {
        guard let duty = address, duty.settings.follows == .leader, isReadyLeader,
            duty.roundAskedAt.map({ now.since($0) >= AddressDuty.roundInterval }) ?? true
        else { return }
        nextReadContext += 1
        address?.roundAskedAt = now
        // Limit: rounds of this term that are not complete; an old one would only prove less.
        if duty.rounds.count >= 16, let oldest = duty.rounds.keys.min() { address?.rounds[oldest] = nil }
        address?.rounds[nextReadContext] = now
        raft.read(context: nextReadContext)
    }

    /// Returns whether the round was one of the address's.
    mutating func finishAddressRound(context: UInt64, confirmed: Bool) -> Bool {
        guard let began = address?.rounds.removeValue(forKey: context) else { return false }
        if confirmed { address?.lease.completedRound(began: began) }
        return true
    }

    // MARK: Handing over

    /// RA8 with VI1: the address is removed first, and the successor is told, so that it need not wait.
    ///
    /// - Parameter reply: The request to be answered with the outcome.
    /// - Returns: Whether a transfer begins.
    @discardableResult
    mutating func handOver(to target: ServerID?, reply: UInt64? = nil) -> Bool {
        guard raft.role == .leader, !raft.isTransferring, let duty = address, duty.settings.follows == .leader else {
            return transferNow(to: target, reply: reply, tells: false)
        }
        guard duty.handOver == nil else {
            if let reply { refuse(reply, ProposalRefusal.transferring.asError(leader: leaderName)) }
            return false
        }
        order(.drop(reason: "leadership is being handed over"), again: true)
        let number = address?.order?.number ?? 0
        address?.handOver = AddressDuty.PendingHandOver(target: target, reply: reply, since: now, order: number)
        return true
    }

    private mutating func progressHandOver() {
        guard let duty = address, let pending = duty.handOver else { return }
        let isGone = duty.isGone(since: pending.order)
        guard isGone || raft.role != .leader || now.since(pending.since) >= AddressDuty.removalLimit else { return }
        address?.handOver = nil
        let tells = isGone && isReadyLeader && duty.lease.isEntitled(at: now)
        transferNow(to: pending.target, reply: pending.reply, tells: tells)
    }

    @discardableResult
    private mutating func transferNow(to target: ServerID?, reply: UInt64?, tells: Bool) -> Bool {
        switch raft.transferLeadership(to: target) {
        case .success(let server):
            let member = MemberID(rawValue: server.rawValue)
            if tells {
                address?.lease.giveUp()
                address?.givenUpAt = raft.lastIndex
                // Sent before `TimeoutNow`, on the same connection.
                send(.addressGivenUp(term: raft.term.rawValue, index: raft.lastIndex.rawValue), to: member)
            }
            if let reply {
                let name = state.node(member)?.name.rawValue ?? "another voter"
                effects.append(.reply(id: reply, .success(ClusterReply(summary: "leadership moves to \(name)"))))
            }
            return true
        case .failure(let refusal):
            if let reply {
                refuse(
                    reply,
                    precondition(
                        "peer.caught_up", "leadership cannot be transferred: \(refusal)", "wait until a voter has caught up"))
            }
            return false
        }
    }

    /// The transfer failed: once an entry is committed that the successor had not, its notice is worth nothing any more.
    private mutating func takeAddressBack() {
        guard let duty = address, duty.lease.isGivenUp, let index = duty.givenUpAt, raft.role == .leader, !raft.isTransferring
        else { return }
        if raft.commitIndex > index {
            address?.lease.takeBack()
            address?.givenUpAt = nil
        } else if raft.lastIndex == index {
            raft.proposeEmpty()
        }
    }

    /// `follows: primary`: the lease is released only when the address is gone (VI1), and the release never waits longer
    /// than the kernel needs for it (VI4).
    mutating func mayRelease() -> Bool {
        guard let duty = address, duty.settings.follows == .primary else { return true }
        let isGone: Bool
        switch duty.order?.kind {
        case .drop: isGone = duty.isGone(since: duty.order?.number ?? 0)
        case .hold: isGone = false
        case nil: isGone = duty.status?.holds == false
        }
        if isGone {
            address?.releaseWaitsSince = nil
            return true
        }
        guard let since = duty.releaseWaitsSince else {
            address?.releaseWaitsSince = now
            return false
        }
        return now.since(since) >= AddressDuty.releaseLimit
    }

    // MARK: For the view

    /// Whose last report says that it has the address.
    var addressOwner: NodeName? {
        if address?.status?.holds == true { return identity.name }
        return state.sortedNodes.first { node in
            guard node.name != identity.name, let timed = reports[node.name] else { return false }
            return timed.report.address?.holds == true && now.since(timed.at) <= .seconds(2)
        }?.name
    }

    /// Why this node does not have the address; when nobody has it, why the one that should have it has not.
    var addressReason: String? {
        guard let duty = address, duty.status?.holds != true else { return nil }
        let due = duty.settings.follows == .leader ? leaderName : state.primary?.node
        guard addressOwner == nil, let due, due != identity.name, let timed = reports[due],
            now.since(timed.at) <= .seconds(2), let reason = timed.report.address?.reason
        else { return duty.reason }
        return "\(due): \(reason)"
    }
}
