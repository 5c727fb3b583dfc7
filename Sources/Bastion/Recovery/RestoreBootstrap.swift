import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import FoundationEssentials
import NodeCore
import PostgresControl
import RaftCore
import RaftIO

/// `restore ARCHIVE --bootstrap`: the checks of 7.1 in their order, then the actions of 7.2.
package struct RestoreBootstrap: Sendable {
    package struct Options: Sendable {
        package var archive: String
        /// The archive need not know this node.
        package var asNewNode: Bool
        /// Members that answer, or may still run, do not stop it.
        package var assumeDead: Bool
        package var overrides: [String]
        package init(archive: String, asNewNode: Bool = false, assumeDead: Bool = false, overrides: [String] = []) {
            self.archive = archive
            self.asNewNode = asNewNode
            self.assumeDead = assumeDead
            self.overrides = overrides
        }
    }

    /// Everything that is known before something is changed.
    package struct Plan: Sendable {
        package var source: RestoreSource
        package var answers: [MemberProbe.Answer]
        package var movesTo: String?
        package var time: ArchiveTime
        package var warnings: [String]
        package var configurationNotes: [String]
        package var options: Options
    }

    /// Raft's index jumps by this much: no entry of the old cluster can be taken for one of the new.
    package static let indexGap: UInt64 = 1_000_000

    let site: RecoverySite
    private let wallClock: @Sendable () -> Int64

    package init(site: RecoverySite, wallClock: @escaping @Sendable () -> Int64 = wallClockMilliseconds) {
        self.site = site
        self.wallClock = wallClock
    }

    private var configuration: NodeConfiguration { site.configuration }

    // MARK: Checks

    /// Changes nothing on disk, whatever it finds.
    package func plan(_ options: Options) async throws(BastionError) -> Plan {
        try site.requireStopped()
        try DirectorySwap.refuseUnfinished(site.directory)
        let folder = BackupFolder(directory: configuration.backup.directory, clusterName: site.clusterName)
        let source = try RestoreSource.open(options.archive, folder, mayBeUnsealed: options.overrides.contains("unsealed"))
        try checkNames(source, options)
        let answers = await MemberProbe(configuration: configuration).ask(site.otherMembers(in: source.state))
        if !options.assumeDead { try checkAnswers(answers, source) }
        try checkPostgres(source)
        try site.requireRoom(for: Int(source.manifest.files.first?.size ?? 0) * 2 + (32 << 20))
        let time = try site.stamp()
        return Plan(
            source: source, answers: answers,
            movesTo: site.swap.exists ? site.swap.sibling("pre-restore", time.compact) : nil, time: time,
            warnings: warnings(source, answers, options), configurationNotes: try configurationNotes(source), options: options)
    }

    /// Steps 8 and 9.
    private func checkNames(_ source: RestoreSource, _ options: Options) throws(BastionError) {
        guard source.manifest.cluster.name == site.clusterName else {
            throw refusal(
                .preconditionFailed, "cluster_name_mismatch",
                "the archive is of cluster \"\(source.manifest.cluster.name)\", the configuration names \"\(site.clusterName)\"",
                hint: "restore the right archive, or mend cluster.name in \"\(site.configurationPath)\"")
        }
        let members = source.state.memberNodes.map(\.name)
        guard members.contains(site.node) || options.asNewNode else {
            throw refusal(
                .preconditionFailed, "node_unknown", "node \"\(site.node)\" is not a member in the archive",
                detail: "members: \(members.map(\.rawValue).joined(separator: ", "))",
                hint: "restore on one of them, or add --as-new-node")
        }
    }

    /// Steps 10 and 11.
    private func checkAnswers(_ answers: [MemberProbe.Answer], _ source: RestoreSource) throws(BastionError) {
        let ours = answers.filter { $0.belongs(to: source.clusterID) }
        if let live = ours.first(where: { $0.hasLeader }) {
            throw refusal(
                .preconditionFailed, "cluster_alive", "the cluster runs: node \"\(live.name)\" at \(live.address.description) has a leader",
                hint: "this node comes back without an archive: `pgbastion node reset` and start here, then "
                    + "`pgbastion node rejoin \(site.node)` on \(live.name); --assume-dead restores in spite of it")
        }
        if let running = ours.first {
            throw refusal(
                .preconditionFailed, "member_running",
                "node \"\(running.name)\" at \(running.address.description) runs as a member of that cluster, without a leader",
                hint: "stop it, or recover what it has with `pgbastion raft recover`; --assume-dead restores in spite of it")
        }
    }

    /// Step 12.
    private func checkPostgres(_ source: RestoreSource) throws(BastionError) {
        guard let expected = source.manifest.postgres.systemIdentifier,
            let directory = configuration.postgresql?.dataDirectory, let found = PostgresIdentity.systemIdentifier(directory)
        else { return }
        guard String(found) == expected else {
            throw refusal(
                .integrity, "system_id_mismatch", "the PostgreSQL data in \"\(directory)\" is not that of the archive's cluster",
                detail: "system identifier \(found), the archive has \(expected)",
                hint: "restore an archive of this cluster, or put the right data directory there")
        }
    }

    private func warnings(_ source: RestoreSource, _ answers: [MemberProbe.Answer], _ options: Options) -> [String] {
        var list: [String] = []
        let age = Duration.milliseconds(wallClock() - source.manifest.createdAt.seconds * 1000)
        if age > configuration.backup.maxAge {
            list.append("the archive is \(RecoveryText.age(age)) old; backup.max_age is \(RecoveryText.age(configuration.backup.maxAge))")
        }
        if source.manifest.source.mode == .stale {
            list.append("the archive was made without a leader (--stale): it may lack the newest changes")
        }
        if source.manifest.source.assumedCommitted { list.append("the archive holds entries that were assumed to be committed") }
        if let newer = source.newer { list.append("there is a newer good archive: \(newer)") }
        let silent = answers.filter { $0.hello == nil }.map(\.name)
        if !silent.isEmpty { list.append("not reached: \(silent.joined(separator: ", ")); make sure that pgbastion is stopped there") }
        if configuration.postgresql?.dataDirectory == nil { list.append("this node has no PostgreSQL: it is a witness") }
        if !source.isSealed { list.append("the archive has no sidecar (--override unsealed)") }
        if options.assumeDead {
            let alive = answers.filter { $0.belongs(to: source.clusterID) }.map(\.name)
            list.append("--assume-dead: members that run are ignored" + (alive.isEmpty ? "" : ": \(alive.joined(separator: ", "))"))
        }
        return list
    }

    /// The configuration here is not overwritten: what differs from the archived one, and which secrets it has to have.
    private func configurationNotes(_ source: RestoreSource) throws(BastionError) -> [String] {
        let secrets = source.manifest.secrets.redacted.map { "not in the archive: \($0.path) is taken from the configuration file here" }
        var text: [UInt8] = []
        _ = try ArchiveReader.read(source.file) { (path, piece) throws(BastionError) in
            if path == ArchiveMember.configuration { text += Array(piece) }
        }
        guard !text.isEmpty else { return secrets }
        let archived: NodeConfiguration
        do throws(ConfigurationErrors) {
            archived = try ConfigurationFile.parse(text, file: "the archived configuration", tokenFiles: .skip).configuration
        } catch {
            return secrets
        }
        let own = Set(["node.name", "node.address", "raft.bootstrap"] + source.manifest.secrets.redacted.map(\.path))
        let changes = ConfigurationChanges(from: archived, to: configuration)
        let differing = (changes.reloadable + changes.needsRestart).filter { !own.contains($0.key) }.sorted { $0.key < $1.key }
        return secrets + differing.map { "differs from the archived configuration: \($0)" }
    }

    // MARK: Actions

    package struct Outcome: Sendable {
        package var clusterID: ClusterID
        package var parentID: ClusterID?
        package var epoch: UInt32
        package var movedTo: String?
        /// Ids of directives that were pending or running.
        package var cancelledDirectives: [String]
        package var droppedMembers: [NodeName]
        package var claimedPrimary: NodeName?
        package var warnings: [String]
        package var next: [String]
    }

    /// - Throws: `.io`; whatever it throws, the directory is the old one as a whole, or the new one as a whole.
    package func carryOut(_ plan: Plan) async throws(BastionError) -> Outcome {
        var warnings = plan.warnings
        if site.swap.exists, try !site.swap.content().isEmpty {
            // Best effort, and before the lock is taken: the directory is read like that of any stopped daemon.
            warnings += await SafetyBackup.make(site, series: "pre-restore").warnings
        }
        let hold = try site.hold()
        defer { withExtendedLifetime(hold) {} }
        let former = plan.source.state
        let change = RestoredDirectory(
            site: site, kind: "pre-restore", time: plan.time, former: former,
            from: RestoredFrom(
                archiveID: plan.source.manifest.id, sha256: plan.source.sha256, by: by(plan.options), manner: .restore),
            index: LogIndex(UInt64(plan.source.manifest.raft.index) + RestoreBootstrap.indexGap))
        let made: RestoredDirectory.Made
        do throws(BastionError) { made = try change.putInPlace() } catch { throw asCommandError(error) }
        return outcome(plan, made, warnings)
    }

    private func by(_ options: Options) -> String {
        var notes = options.overrides.map { "--override \($0)" }
        if options.assumeDead { notes.append("--assume-dead") }
        return notes.isEmpty ? site.by : "\(site.by) (\(notes.joined(separator: ", ")))"
    }

    private func outcome(_ plan: Plan, _ made: RestoredDirectory.Made, _ warnings: [String]) -> Outcome {
        let former = plan.source.state
        let others = former.memberNodes.filter { $0.name != site.node }
        return Outcome(
            clusterID: made.state.cluster?.id ?? made.clusterID, parentID: former.cluster?.id, epoch: made.state.cluster?.epoch ?? 1,
            movedTo: made.movedTo, cancelledDirectives: former.directives.filter(\.isOpen).map { "\($0.id)" },
            droppedMembers: others.map(\.name), claimedPrimary: former.primary?.node, warnings: warnings,
            next: RecoveryText.next(
                node: site.node, claimed: former.primary?.node, others: others, ownPort: configuration.raft.bindPort.number))
    }
}

extension RestoreSource {
    var clusterID: ClusterID? { state.cluster?.id ?? ClusterID(manifest.cluster.id) }
}
