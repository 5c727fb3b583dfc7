import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import RaftCore
import RaftIO
import Telemetry

/// ST11: an older copy of the Raft directory was put back. It has forgotten votes and entries, so it takes part in nothing;
/// what happens instead depends on whether the cluster still lives (decision 0018).
struct OldCopy: Sendable {
    enum Outcome: Sendable {
        /// Moved aside; this node starts empty and asks a member to take it back.
        case rejoins([MemberProbe.Answer])
        /// Its state goes on as a new cluster of one, paused.
        case recovered(RestoreBootstrap.Outcome)
    }

    let site: RecoverySite
    let log: @Sendable (LogLine.Level, String, [String: String]) -> Void

    /// Before the daemon opens its directory. nil: it is no older copy.
    func resolve() async throws(BastionError) -> Outcome? {
        let configuration = site.configuration
        guard try !site.swap.content().isEmpty, let stored = try RaftLogStore.storedIdentity(in: site.directory) else { return nil }
        let store = stored.identity
        let memory = GenerationFile(path: configuration.node.generationFile)
        let isOlder = try memory.knowsNewer(than: store, writes: stored.writes)
        // A copy on a machine that lost everything: nothing here remembers this member. Only where a new cluster is asked for.
        let isUnknown = configuration.raft.bootstrap && store.generation > 0 && memory.isMissing
        guard isOlder || isUnknown, let cluster = store.clusterID else { return nil }
        let directory = try StoppedDirectory.open(site.directory)
        guard isOlder || directory.complete.membership.voters.count > 1 else { return nil }
        let answers = await MemberProbe(configuration: configuration).ask(site.otherMembers(in: directory.complete.state))
        let ours = answers.filter { $0.belongs(to: cluster) }
        if let live = ours.first(where: { $0.hasLeader }) {
            guard isOlder else { return nil }
            try moveAside(told: "node \(live.name) has a leader")
            return .rejoins(ours)
        }
        // A member that answers without a leader may be one of a majority that is about to be there.
        guard configuration.raft.bootstrap, answers.allSatisfy({ $0.hello?.clusterID == nil }) else {
            guard isOlder else { return nil }
            throw refused(memory, store)
        }
        let outcome = try RecoverApply(site: site).recover(
            directory.complete.state, index: directory.lastIndex, time: try site.stamp(), warnings: [])
        log(
            .warn,
            "an older copy of the Raft directory was found and no member of its cluster answers: its state goes on as cluster "
                + "\(outcome.clusterID.short), epoch \(outcome.epoch), paused",
            ["event": "raft.recovered", "moved_to": outcome.movedTo ?? "", "hint": outcome.next.dropFirst().joined(separator: "; ")])
        return .recovered(outcome)
    }

    private func moveAside(told: String) throws(BastionError) {
        let aside = site.swap.sibling("old-copy", try site.stamp().compact)
        let hold = try DirectoryHold(site.configuration.raft.dataDirectory)
        defer { withExtendedLifetime(hold) {} }
        try site.moveAside(to: aside)
        log(
            .warn, "an older copy of the Raft directory was moved aside; this node rejoins its cluster (\(told))",
            ["event": "raft.old_copy", "moved_to": aside])
    }

    private func refused(_ memory: GenerationFile, _ store: StableIdentity) -> BastionError {
        BastionError(
            .corrupt, "the Raft directory \"\(site.directory)\" is an older copy",
            detail: "rule ST11: it was last started as generation \(store.generation), this machine remembers a later one. A copy has "
                + "forgotten votes and entries, so it may not take part, and no member answers that has a leader",
            hint: "if the cluster lives, start it and try again, or run `pgbastion node reset`, then `pgbastion node rejoin` on a member; "
                + "if every other member is lost, set raft.bootstrap: true, or run `pgbastion raft recover --apply`")
    }
}
