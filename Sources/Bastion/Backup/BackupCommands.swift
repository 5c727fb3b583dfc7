import BackupArchive
import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import HTTPAPI
import NodeCore
import Operations

/// The operations on backups (`BackupOperations`): JSON in, JSON out. Commands and runbooks call the same code.
package struct BackupCommands: Sendable {
    let configurationPath: String
    /// A way to a daemon; asked for when it is needed, since most of these work without one.
    let connect: @Sendable () throws(BastionError) -> any OperationInvoker
    /// Progress, notes and warnings for people.
    let note: @Sendable (String) -> Void
    /// Told of every point of the write protocol at which a crash is tested.
    var passed: @Sendable (BackupStep) -> Void = BackupStep.killer

    package init(
        configurationPath: String, connect: @escaping @Sendable () throws(BastionError) -> any OperationInvoker,
        note: @escaping @Sendable (String) -> Void
    ) {
        self.configurationPath = configurationPath
        self.connect = connect
        self.note = note
    }

    /// - Parameter dryRun: Check, and say what would be done.
    package func run(_ operation: String, input: JSONValue, dryRun: Bool = false) async throws(BastionError) -> LocalAnswer {
        guard let definition = BackupOperations.definitions.first(where: { $0.name == operation }) else {
            throw BastionError(.internal, "\"\(operation)\" is no operation on backups")
        }
        let checked = try InputValidation.check(input.bytes, against: definition)
        let input = try JSONText.decode(BackupInput.self, from: checked)
        switch operation {
        case BackupOperations.create.name: return try await create(input, dryRun: dryRun)
        case BackupOperations.list.name: return try LocalAnswer(try list(input))
        case BackupOperations.show.name: return try LocalAnswer(try show(input))
        case BackupOperations.verify.name: return try LocalAnswer(try verify(input))
        case BackupOperations.drill.name: return try LocalAnswer(try await drill(input))
        case BackupOperations.prune.name: return try LocalAnswer(try prune(input, dryRun: dryRun))
        case BackupOperations.keep.name: return try LocalAnswer(try pin(input, true, dryRun: dryRun))
        case BackupOperations.unkeep.name: return try LocalAnswer(try pin(input, false, dryRun: dryRun))
        default: return try LocalAnswer(try diff(input))
        }
    }

    // MARK: parts

    /// The configuration, without the token file, which an operator need not be able to read.
    func configuration() throws(BastionError) -> NodeConfiguration {
        do throws(ConfigurationErrors) {
            return try ConfigurationFile.load(path: configurationPath, tokenFiles: .skip).configuration
        } catch {
            throw error.bastionError
        }
    }

    /// Reading an archive works also where there is no configuration file, with `--dir` or a path.
    func place(_ input: BackupInput) throws(BastionError) -> (repository: BackupRepository, clusterName: String) {
        if access(configurationPath, F_OK) != 0, let directory = input.dir {
            return (BackupRepository(directory: directory, reload: StateReloading.reload), "main")
        }
        let configuration = try configuration()
        return (repository(input.dir ?? configuration.backup.directory, configuration), configuration.cluster.name)
    }

    func repository(_ directory: String, _ configuration: NodeConfiguration) -> BackupRepository {
        let passed = passed
        var repository = BackupRepository(directory: directory, reload: StateReloading.reload) { passed(.repository($0)) }
        repository.requireMount = configuration.backup.requiresMount
        repository.newDirectoryOwner = configuration.postgresql?.dataDirectory ?? configuration.raft.dataDirectory
        return repository
    }

    func policy(_ configuration: NodeConfiguration, keepWithin: Duration?) -> RetentionPolicy {
        let retention = configuration.backup.retention
        var policy = RetentionPolicy()
        policy.keepLast = retention.last
        policy.keepHourly = retention.hourly
        policy.keepDaily = retention.daily
        policy.keepWeekly = retention.weekly
        policy.keepMonthly = retention.monthly
        policy.keepWithinSeconds = (keepWithin ?? retention.within).components.seconds
        policy.minRedundancy = retention.minimumRedundancy
        return policy
    }

    /// Step 1: the lock, waited for as long as the operator wants.
    func lock(_ repository: BackupRepository, wait: Duration) throws(BastionError) -> BackupRepository.Lock {
        let deadline = ContinuousClock.now + wait
        while true {
            do throws(BastionError) {
                return try repository.lock()
            } catch {
                guard error.code == .locked, ContinuousClock.now < deadline else { throw error }
                pause(milliseconds: 100)
            }
        }
    }

    func resolve(_ word: String, _ place: (repository: BackupRepository, clusterName: String)) throws(BastionError) -> String {
        guard word.hasPrefix("@") else { return try place.repository.resolve(word, clusterName: place.clusterName) }
        let milliseconds = try TimeArgument.milliseconds(String(word.dropFirst()), now: ArchiveTime.now.description, field: "archive")
        let exact = ArchiveTime(seconds: milliseconds / 1_000)
        return try place.repository.resolve("@\(exact)", clusterName: place.clusterName)
    }
}

/// The points of `backup create` at which a crash is tested, those of the repository among them.
package enum BackupStep: Sendable, Hashable {
    case repository(BackupRepository.Step)
    case fetched, copied, pruned, recorded, measured, pinged

    var name: String {
        switch self {
        case .repository(let step): step.rawValue
        default: "\(self)"
        }
    }

    /// For tests of a death in the middle: the process kills itself at the step that the environment names.
    static let killer: @Sendable (BackupStep) -> Void = { step in
        guard let wanted = getenv("PGBASTION_TEST_KILL_AT"), String(cString: wanted) == step.name else { return }
        kill(getpid(), SIGKILL)
    }
}
