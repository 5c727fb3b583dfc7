import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import Operations
import RaftIO

/// The commands `restore`, `raft recover` and `node reset` on this machine: what each would do, and doing it, for people and
/// programs.
package struct RecoveryEntry: Sendable {
    /// What the person is shown before the question, and what has to be typed.
    package struct Rehearsal: Sendable {
        package var answer: LocalAnswer
        package var name: String
        package var subject: String
        /// False: there is nothing to do.
        package var hasWork = true
    }

    let configurationPath: String

    package init(configurationPath: String) { self.configurationPath = configurationPath }

    private func site() throws(BastionError) -> RecoverySite { try RecoverySite(configurationPath: configurationPath) }

    // MARK: restore --bootstrap

    package func planRestore(_ options: RestoreBootstrap.Options) async throws(BastionError) -> Rehearsal {
        let site = try site()
        let plan = try await RestoreBootstrap(site: site).plan(options)
        var answer = LocalAnswer(
            text: RestoreText.plan(plan, site), data: RestoreText.data(plan, site), warnings: plan.warnings)
        answer.exitStatus = plan.warnings.isEmpty ? 0 : 2
        return Rehearsal(answer: answer, name: site.clusterName, subject: "cluster")
    }

    package func restore(_ options: RestoreBootstrap.Options) async throws(BastionError) -> LocalAnswer {
        let site = try site()
        let bootstrap = RestoreBootstrap(site: site)
        let plan = try await bootstrap.plan(options)
        let outcome = try await bootstrap.carryOut(plan)
        return LocalAnswer(
            text: RestoreText.outcome(outcome, "restored from \(plan.source.manifest.id)", site, plan.configurationNotes),
            data: RestoreText.data(outcome, site, plan: RestoreText.data(plan, site)), warnings: outcome.warnings)
    }

    /// `restore ARCHIVE --to DIR`: verified in full, then unpacked by our own code.
    package func unpack(_ word: String, to directory: String) throws(BastionError) -> LocalAnswer {
        let configuration = try configurationIfAny()
        let folder = BackupFolder(
            directory: configuration?.backup.directory ?? "/backup/pgbastion", clusterName: configuration?.cluster.name ?? "main")
        let source = try RestoreSource.open(word, folder, mayBeUnsealed: true)
        let files = try ArchiveUnpacking(directory: directory).unpack(source)
        let note = source.isSealed ? [] : ["the archive has no sidecar: nothing says that it is as it was written"]
        return LocalAnswer(
            text: "\(source.manifest.id) is unpacked into \(directory): \(files.count) files, every checksum verified",
            data: .object([.init(name: "files", value: .array(files.map { .string($0) }))]), warnings: note)
    }

    /// An archive can be looked at on a machine without configuration.
    private func configurationIfAny() throws(BastionError) -> NodeConfiguration? {
        guard TextFiles.read(configurationPath) != nil else { return nil }
        return try site().configuration
    }

    // MARK: undo

    package func planUndo() throws(BastionError) -> Rehearsal {
        let site = try site()
        return Rehearsal(
            answer: RestoreText.undo(try RestoreUndo(site: site).plan(), site, isDone: false), name: site.clusterName, subject: "cluster")
    }

    package func undo() throws(BastionError) -> LocalAnswer {
        let site = try site()
        let undo = RestoreUndo(site: site)
        let plan = try undo.plan()
        try undo.carryOut(plan)
        return RestoreText.undo(plan, site, isDone: true)
    }

    // MARK: raft recover

    package func recoverPlan(with files: [String]) async throws(BastionError) -> LocalAnswer {
        let plan = try await RecoverPlan.make(try site(), with: files)
        return LocalAnswer(text: RecoverText.text(plan), data: RecoverText.data(plan))
    }

    package func planRecover(with files: [String], overrides: [String]) async throws(BastionError) -> Rehearsal {
        let site = try site()
        let plan = try await RecoverApply(site: site).plan(with: files, overrides: overrides)
        return Rehearsal(
            answer: LocalAnswer(text: RecoverText.summary(plan, site), data: RecoverText.data(plan.facts)), name: site.clusterName,
            subject: "cluster")
    }

    package func recover(with files: [String], overrides: [String]) async throws(BastionError) -> LocalAnswer {
        let site = try site()
        let apply = RecoverApply(site: site)
        let outcome = try await apply.carryOut(try await apply.plan(with: files, overrides: overrides))
        return LocalAnswer(
            text: RestoreText.outcome(outcome, "recovered from what this node has", site, []),
            data: RestoreText.data(outcome, site, plan: nil),
            warnings: outcome.warnings)
    }

    // MARK: node reset

    package func planReset(_ options: NodeReset.Options) async throws(BastionError) -> Rehearsal {
        let site = try site()
        let plan = try await NodeReset(site: site).plan(options)
        return Rehearsal(
            answer: RestoreText.reset(plan, site, isDone: false), name: site.node.rawValue, subject: "node",
            hasWork: plan.movesTo != nil || !plan.purges.isEmpty)
    }

    package func reset(_ options: NodeReset.Options) async throws(BastionError) -> LocalAnswer {
        let site = try site()
        let reset = NodeReset(site: site)
        let plan = try await reset.plan(options)
        _ = try reset.carryOut(plan)
        return RestoreText.reset(plan, site, isDone: true)
    }
}
