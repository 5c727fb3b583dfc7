import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import FoundationEssentials
import Operations
import RaftCore
import RaftIO

/// What one stopped survivor knows; the JSON of `raft recover -o json`, which other survivors merge.
package struct SurvivorFacts: Sendable, Codable, Hashable {
    package var name: String
    package var clusterID: String
    package var epoch: UInt32
    package var lastTerm: UInt64
    package var lastIndex: UInt64
    package var commitIndex: UInt64
    package var voters: [String]
    package var systemIdentifier: String?
    package var timeline: UInt32?
    package var lsn: String?
    package var state: String?

    enum CodingKeys: String, CodingKey {
        case name, epoch, voters, timeline, lsn
        case clusterID = "cluster_id"
        case lastTerm = "last_term"
        case lastIndex = "last_index"
        case commitIndex = "commit_index"
        case systemIdentifier = "system_identifier"
        case state = "pg_state"
    }

    /// The place in the Raft log that decides which survivor is most advanced.
    var position: (UInt64, UInt64) { (lastTerm, lastIndex) }
    /// The place in the WAL; nil without data.
    var walPosition: (UInt32, UInt64)? {
        guard let timeline, let lsn = lsn.flatMap({ LSN($0) }) else { return nil }
        return (timeline, lsn.rawValue)
    }
}

/// `raft recover`: which survivor keeps the state, which has the newest data, and whether there is anything to recover (section 9).
package struct RecoverPlan: Sendable {
    package var own: SurvivorFacts
    package var survivors: [SurvivorFacts]
    /// Voters that answered now, by name, with whether one of them has a leader.
    package var answering: [String]
    package var hasLeader: Bool
    package var silent: [String]
    package var uncommitted: Int

    package var voters: [String] { own.voters }
    var majority: Int { voters.count / 2 + 1 }

    /// Nothing to recover: enough voters run, or will when this node is started.
    package var quorumExists: Bool { voters.count < 2 || hasLeader || answering.count >= majority || answering.count + 1 >= majority }
    /// Of equals the one with the newest data, which is the one to accept.
    package var applyOn: SurvivorFacts {
        survivors.max { first, second in
            guard first.position == second.position else { return first.position < second.position }
            return (first.walPosition ?? (0, 0)) < (second.walPosition ?? (0, 0))
        } ?? own
    }
    package var newestData: SurvivorFacts? {
        survivors.filter { $0.walPosition != nil }.max { ($0.walPosition ?? (0, 0)) < ($1.walPosition ?? (0, 0)) }
    }
    package var notSeen: [String] { voters.filter { name in !survivors.contains { $0.name == name } && !answering.contains(name) } }

    package static func make(_ site: RecoverySite, with files: [String]) async throws(BastionError) -> RecoverPlan {
        try site.requireStopped()
        try DirectorySwap.refuseUnfinished(site.directory)
        let directory = try open(site)
        let own = await facts(of: directory, site)
        var survivors = [own]
        for file in files {
            for other in try read(file) where !survivors.contains(where: { $0.name == other.name }) {
                guard other.clusterID == own.clusterID else {
                    throw refusal(
                        .preconditionFailed, "cluster_mismatch",
                        "\"\(file)\" is of cluster \(other.clusterID.prefix(8)), this node of \(own.clusterID.prefix(8))",
                        hint: "give plans of survivors of one cluster only")
                }
                survivors.append(other)
            }
        }
        let answers = await MemberProbe(configuration: site.configuration).ask(site.otherMembers(in: directory.complete.state))
        let ours = answers.filter { $0.belongs(to: directory.clusterID) && own.voters.contains($0.name) }
        return RecoverPlan(
            own: own, survivors: survivors.sorted { $0.name < $1.name }, answering: ours.map(\.name).sorted(),
            hasLeader: answers.contains { $0.belongs(to: directory.clusterID) && $0.hasLeader },
            silent: own.voters.filter { name in name != own.name && !ours.contains { $0.name == name } },
            uncommitted: directory.uncommittedEntries)
    }

    static func open(_ site: RecoverySite) throws(BastionError) -> StoppedDirectory {
        let directory: StoppedDirectory
        do throws(BastionError) { directory = try StoppedDirectory.open(site.directory) } catch {
            guard error.code == .notFound else { throw error }
            throw empty(site)
        }
        guard directory.clusterID != nil, directory.lastIndex > .zero, directory.complete.state.cluster != nil else { throw empty(site) }
        return directory
    }

    private static func empty(_ site: RecoverySite) -> BastionError {
        refusal(
            .notFound, "empty_state", "there is no cluster state in \"\(site.directory)\"",
            hint: "run this on another survivor, or restore a backup: `pgbastion restore latest --bootstrap`")
    }

    private static func facts(of directory: StoppedDirectory, _ site: RecoverySite) async -> SurvivorFacts {
        let control = await PostgresIdentity.controlFile(site.configuration)
        let members = StoppedDirectory.members(of: directory.complete)
        var facts = SurvivorFacts(
            name: site.node.rawValue, clusterID: directory.clusterID?.description ?? "", epoch: directory.epoch,
            lastTerm: directory.lastTerm.rawValue, lastIndex: directory.lastIndex.rawValue, commitIndex: directory.commitIndex.rawValue,
            voters: members.voters)
        guard let control else { return facts }
        facts.systemIdentifier = String(control.systemIdentifier)
        facts.timeline = max(control.timeline, control.minimumRecoveryTimeline).rawValue
        facts.lsn = "\(max(control.checkpointLSN, control.minimumRecoveryLSN))"
        facts.state = control.state.rawValue
        return facts
    }

    /// The survivors in a file that `raft recover -o json` wrote.
    private static func read(_ file: String) throws(BastionError) -> [SurvivorFacts] {
        guard let text = TextFiles.read(file) else { throw BastionError(.notFound, "could not read \"\(file)\"") }
        let data: JSONValue?
        do throws(BastionError) { data = try OperationEnvelope(parsing: Array(text.utf8)).data } catch {
            throw BastionError(
                .invalidData, "\"\(file)\" is no plan of `pgbastion raft recover -o json`", detail: error.detail ?? error.message)
        }
        var found: [SurvivorFacts] = []
        for node in data?["nodes"]?.elements ?? [] {
            do { found.append(try JSONDecoder().decode(SurvivorFacts.self, from: Data(node.bytes))) } catch {
                throw BastionError(
                    .invalidData, "\"\(file)\" is no plan of `pgbastion raft recover -o json`", detail: "\(error)")
            }
        }
        guard !found.isEmpty else { throw BastionError(.invalidData, "\"\(file)\" is no plan of `pgbastion raft recover -o json`") }
        return found
    }
}
