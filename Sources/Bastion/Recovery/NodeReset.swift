import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import Glibc
import RaftCore
import RaftIO

/// `node reset`: the Raft directory is moved aside and an empty one made; PostgreSQL's data is not touched (section 10).
package struct NodeReset: Sendable {
    package struct Options: Sendable {
        package var overrides: [String]
        /// Directories of earlier resets and undone restores that are older go.
        package var purgeOlder: Duration?
        package init(overrides: [String] = [], purgeOlder: Duration? = nil) {
            self.overrides = overrides
            self.purgeOlder = purgeOlder
        }
    }

    package struct Plan: Sendable {
        /// nil: the directory is empty, there is nothing to do.
        package var movesTo: String?
        package var purges: [String]
        package var cluster: ClusterID?
        package var lastIndex: UInt64?
    }

    let site: RecoverySite

    package init(site: RecoverySite) { self.site = site }

    /// Changes nothing.
    package func plan(_ options: Options) async throws(BastionError) -> Plan {
        try site.requireStopped()
        try DirectorySwap.refuseUnfinished(site.directory)
        let time = try site.stamp()
        var plan = Plan(movesTo: nil, purges: try purges(options.purgeOlder, now: time), cluster: nil, lastIndex: nil)
        guard site.swap.exists else { return plan }
        let content = try site.swap.content()
        guard !content.isEmpty else { return plan }
        plan.movesTo = site.swap.sibling("reset", time.compact)
        if let directory = try readable() {
            (plan.cluster, plan.lastIndex) = (directory.clusterID, directory.lastIndex.rawValue)
            if !options.overrides.contains("only_voter") { try checkOnlyVoter(directory) }
            try await checkStillVoter(directory)
        }
        return plan
    }

    /// nil for a directory that cannot be read: to move that aside is what this command is for.
    private func readable() throws(BastionError) -> StoppedDirectory? {
        do throws(BastionError) { return try StoppedDirectory.open(site.directory) } catch {
            guard error.code == .corrupt || error.code == .notFound else { throw error }
            return nil
        }
    }

    private func checkOnlyVoter(_ directory: StoppedDirectory) throws(BastionError) {
        let voters = directory.complete.membership.voters.map(\.rawValue)
        guard voters == [directory.identity.memberID.rawValue] else { return }
        throw BastionError(
            .onlyVoter, "node \"\(site.node)\" is the only voter of its cluster", detail: "No other copy of the cluster's state is left.",
            hint: "`pgbastion backup --offline` saves it first; `--override only_voter` resets in spite of it",
            checks: [FailedCheck(id: "only_voter", overridable: true)])
    }

    private func checkStillVoter(_ directory: StoppedDirectory) async throws(BastionError) {
        let own = directory.identity.memberID.description
        let answers = await MemberProbe(configuration: site.configuration).ask(site.otherMembers(in: directory.committed.state))
        let alive = answers.first { answer in
            answer.belongs(to: directory.clusterID) && answer.hasLeader
                && (answer.hello?.properties[PeerDirectory.membersProperty] ?? "").split(separator: ",").contains(own[...])
        }
        guard let alive else { return }
        throw refusal(
            .preconditionFailed, "still_voter", "node \"\(site.node)\" is still a member of the running cluster, as \"\(alive.name)\" says",
            hint: "run `pgbastion peer remove \(site.node)` on \(alive.name) first")
    }

    private func purges(_ age: Duration?, now: ArchiveTime) throws(BastionError) -> [String] {
        guard let age else { return [] }
        let oldest = ArchiveTime(seconds: now.seconds - age.components.seconds).compact
        var paths: [String] = []
        for kind in ["reset", "undone", "old-copy"] {
            paths += try site.swap.siblings(kind).filter { ($0.split(separator: "-").last.map(String.init) ?? oldest) < oldest }
        }
        return paths
    }

    /// - Returns: Where the old directory is now.
    package func carryOut(_ plan: Plan) throws(BastionError) -> String? {
        let hold = try site.hold()
        defer { withExtendedLifetime(hold) {} }
        do throws(BastionError) {
            if let aside = plan.movesTo { try site.moveAside(to: aside) }
            for path in plan.purges { TextFiles.removeTree(path) }
        } catch {
            throw asCommandError(error)
        }
        return plan.movesTo
    }
}

extension RecoverySite {
    /// An empty directory takes the place of the old one.
    func moveAside(to aside: String) throws(BastionError) {
        let empty = swap.sibling("restore", String(aside.split(separator: "-").last ?? "new"))
        try StagedDirectory.makeEmpty(empty, owner: owner)
        do throws(BastionError) { _ = try swap.replace(by: empty, keepingAs: aside) } catch {
            // Removes nothing but an empty directory.
            rmdir(empty)
            throw error
        }
    }
}
