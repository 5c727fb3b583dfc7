import ClusterModel
import FailoverCore
import RaftCore

/// 4.8: a restart hold that an operator takes without restarting anything, on the primary's node.
extension BastionNode {
    struct OrderedHold: Sendable {
        var replyID: UInt64
        var holdID: UInt64
        var since: ClockStamp
        var milliseconds: Int64
        /// LE3: the first request with this id; the hold counts from it.
        var firstAskedAt: ClockStamp?
        var askedAt: ClockStamp?
    }

    mutating func takeHold(_ seconds: Double, _ id: UInt64, _ m: RequestMetadata) {
        guard holdsServingLease else {
            return refuse(
                id,
                precondition(
                    "node.is_primary", "node \"\(identity.name)\" does not serve as the primary",
                    "a hold keeps the primary of its own node; see `pgbastion leader` and `pgbastion status`"))
        }
        guard state.leases.mode == .timed else {
            let summary = "there is one data node: its lease has no end and nobody can be promoted"
            return effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: summary))))
        }
        guard state.operation == nil else { return refuse(id, operationInProgress) }
        let milliseconds = Int64(seconds * 1000)
        if let hold = state.hold, hold.isOrdered == true, hold.durationMilliseconds > milliseconds {
            let summary = "a restart hold of \(hold.durationMilliseconds / 1000) s is in force"
            return effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: summary))))
        }
        guard orderedHold == nil else {
            return refuse(id, BastionError(.locked, "a restart hold is being taken already", hint: "try again in a second"))
        }
        orderedHold = OrderedHold(replyID: id, holdID: newHoldID, since: now, milliseconds: milliseconds)
        log(
            .info, "hold.asked", "takes a restart hold of \(milliseconds / 1000) s",
            ["request_id": m.requestID.rawValue, "actor": m.actor, "reason": m.reason ?? ""])
        goOnTakingHold()
    }

    var newHoldID: UInt64 { UInt64(bitPattern: now.raw) ^ UInt64(truncatingIfNeeded: identity.daemon.rawValue) }

    var holdsServingLease: Bool {
        guard let primary = state.primary, primary.memberID == identity.memberID, primary.phase == .serving else { return false }
        return guardStatus?.state == .primary && guardStatus?.token == primary.token
    }

    mutating func goOnTakingHold() {
        guard var hold = orderedHold else { return }
        if guardStatus?.holdID == hold.holdID {
            orderedHold = nil
            let summary = "nobody is promoted for \(hold.milliseconds / 1000) s"
            return effects.append(.reply(id: hold.replyID, .success(ClusterReply(summary: summary))))
        }
        guard holdsServingLease, now.since(hold.since) < .seconds(5) else {
            orderedHold = nil
            return refuse(
                hold.replyID,
                BastionError(.unavailable, "the leader granted no restart hold within 5 s", hint: "see `pgbastion raft status`"))
        }
        guard hold.askedAt.map({ now.since($0) >= .milliseconds(300) }) ?? true else { return }
        hold.askedAt = now
        hold.firstAskedAt = hold.firstAskedAt ?? now
        orderedHold = hold
        askForHold(id: hold.holdID, milliseconds: hold.milliseconds, isOrdered: true)
    }

    mutating func askForHold(id: UInt64, milliseconds: Int64, isOrdered: Bool) {
        guard let status = guardStatus, let token = status.token else { return }
        let message = NodeMessage.holdRequest(
            id: id, token, status.incarnation, milliseconds: milliseconds, isOrdered: isOrdered ? true : nil)
        if raft.role == .leader {
            receive(.node(message), from: identity.memberID)
        } else if let leader = raft.leader {
            send(message, to: MemberID(rawValue: leader.rawValue))
        }
    }
}
