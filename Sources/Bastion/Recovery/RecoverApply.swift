import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import RaftCore
import RaftIO

/// `raft recover --apply`: this node alone goes on with everything it has, as a new cluster (section 9).
package struct RecoverApply: Sendable {
    package struct Plan: Sendable {
        package var facts: RecoverPlan
        package var movesTo: String
        package var time: ArchiveTime
        package var former: ClusterState
    }

    let site: RecoverySite

    package init(site: RecoverySite) { self.site = site }

    /// Changes nothing.
    package func plan(with files: [String], overrides: [String]) async throws(BastionError) -> Plan {
        let facts = try await RecoverPlan.make(site, with: files)
        if facts.voters.count > 1, let running = facts.answering.first, !facts.hasLeader, facts.answering.count < facts.majority {
            throw refusal(
                .preconditionFailed, "member_running", "node \"\(running)\" runs as a voter of this cluster",
                detail: facts.quorumExists ? "With this node started, a majority of the voters runs." : nil,
                hint: facts.quorumExists ? "start pgbastion here: `systemctl start pgbastion`" : "stop pgbastion on \"\(running)\"")
        }
        guard !facts.quorumExists else {
            throw refusal(
                .preconditionFailed, "quorum_exists",
                facts.voters.count < 2 ? "this node is the only voter: it needs nobody else" : "a majority of the voters runs",
                detail: "answering: \(facts.answering.joined(separator: ", "))", hint: "start pgbastion here: `systemctl start pgbastion`")
        }
        guard
            facts.applyOn.name == facts.own.name || overrides.contains("not_most_advanced") || facts.applyOn.position == facts.own.position
        else {
            throw refusal(
                .preconditionFailed, "not_most_advanced",
                "node \"\(facts.applyOn.name)\" has more of the cluster's state (term \(facts.applyOn.lastTerm), index "
                    + "\(facts.applyOn.lastIndex)) than this node (term \(facts.own.lastTerm), index \(facts.own.lastIndex))",
                hint: "run `pgbastion raft recover --apply` on \"\(facts.applyOn.name)\"", overridable: true)
        }
        let time = try site.stamp()
        return Plan(
            facts: facts, movesTo: site.swap.sibling("pre-recover", time.compact), time: time,
            former: try RecoverPlan.open(site).complete.state)
    }

    package func carryOut(_ plan: Plan) async throws(BastionError) -> RestoreBootstrap.Outcome {
        let warnings = await SafetyBackup.make(site, series: "pre-recover").warnings
        return try recover(plan.former, index: LogIndex(plan.facts.own.lastIndex), time: plan.time, warnings: warnings)
    }

    /// - Parameter index: The last one of the complete log.
    func recover(
        _ former: ClusterState, index: LogIndex, time: ArchiveTime, warnings: [String]
    ) throws(BastionError) -> RestoreBootstrap.Outcome {
        let hold = try site.hold()
        defer { withExtendedLifetime(hold) {} }
        let digest: String
        do { digest = try StateCodec.digest(of: former) } catch {
            throw BastionError(.internal, "the state cannot be written", detail: "\(error)")
        }
        let change = RestoredDirectory(
            site: site, kind: "pre-recover", time: time, former: former,
            from: RestoredFrom(archiveID: "index \(index)", sha256: digest, by: site.by, manner: .recover),
            index: LogIndex(index.rawValue + RestoreBootstrap.indexGap))
        let made: RestoredDirectory.Made
        do throws(BastionError) { made = try change.putInPlace() } catch { throw asCommandError(error) }
        let others = former.memberNodes.filter { $0.name != site.node }
        return RestoreBootstrap.Outcome(
            clusterID: made.clusterID, parentID: former.cluster?.id, epoch: made.state.cluster?.epoch ?? 1, movedTo: made.movedTo,
            cancelledDirectives: former.directives.filter(\.isOpen).map { "\($0.id)" }, droppedMembers: others.map(\.name),
            claimedPrimary: former.primary?.node, warnings: warnings,
            next: RecoveryText.next(
                node: site.node, claimed: former.primary?.node, others: others, ownPort: site.configuration.raft.bindPort.number))
    }
}
