import ClusterModel
import Operations
import PostgresControl
import Runbooks

/// Operations of runbooks that are carried out on this machine: the code of the commands of the same names.
struct LocalExecutor: Sendable {
    var configurationPath: @Sendable (_ node: String?) -> String
    var connect: @Sendable () throws(BastionError) -> any OperationInvoker
    var note: @Sendable (String) -> Void

    private static let prefixes = ["backup.", "restore."]
    private static let names: Set<String> = ["raft.recover", "node.reset", "config.init"]

    static func serves(_ operation: String) -> Bool {
        names.contains(operation) || prefixes.contains { operation.hasPrefix($0) }
    }

    func run(_ call: OperationInvocation, node: String?) async -> Result<JSONValue, BastionError> {
        do throws(BastionError) {
            let answer = try await perform(call, configurationPath(node))
            for warning in answer.warnings { note("Warning: \(warning)") }
            if let failure = LocalExecutor.failure(answer, call) { return .failure(failure) }
            return .success(answer.data)
        } catch {
            return .failure(error)
        }
    }

    private func perform(_ call: OperationInvocation, _ path: String) async throws(BastionError) -> LocalAnswer {
        let recovery = RecoveryEntry(configurationPath: path)
        switch call.operation {
        case "restore.bootstrap":
            return try await recovery.restore(
                RestoreBootstrap.Options(
                    archive: call.text("archive") ?? "latest", asNewNode: call.flag("as_new_node"), assumeDead: call.flag("assume_dead"),
                    overrides: call.list("override")))
        case "restore.undo": return try recovery.undo()
        case "raft.recover":
            if call.flag("undo") { return try recovery.undo() }
            if call.flag("apply") { return try await recovery.recover(with: call.list("with"), overrides: call.list("override")) }
            return try await recovery.recoverPlan(with: call.list("with"))
        case "node.reset":
            let age = call.text("purge_older").flatMap { DurationValue($0)?.duration }
            return try await recovery.reset(NodeReset.Options(overrides: call.list("override"), purgeOlder: age))
        case "config.init": return try await initialise(call, path)
        default:
            return try await BackupCommands(configurationPath: path, connect: connect, note: note).run(
                call.operation, input: call.arguments)
        }
    }

    private func initialise(_ call: OperationInvocation, _ path: String) async throws(BastionError) -> LocalAnswer {
        var task = ConfigurationInit(
            node: call.text("node") ?? "", address: call.text("address") ?? "", file: call.text("out") ?? path, log: note)
        task.bootstraps = call.flag("bootstrap")
        task.join = call.text("join")
        task.replaces = call.flag("force")
        task.settings = call.list("set")
        let result = try await task.run()
        return LocalAnswer(
            text: "wrote \(result.path)",
            data: .record([("path", .string(result.path)), ("token_file", result.tokenFile.isEmpty ? .null : .string(result.tokenFile))]))
    }

    /// A command would end with this status; 2 is a finding, not a failure.
    private static func failure(_ answer: LocalAnswer, _ call: OperationInvocation) -> BastionError? {
        switch answer.exitStatus {
        case 0, 2: nil
        case 7: BastionError(.incomplete, "\(call.operation) did not finish everything", detail: answer.text)
        case 9: BastionError(.integrity, "\(call.operation) found something wrong", detail: answer.text)
        case 10: BastionError(.notFound, answer.text)
        default: BastionError(.failed, "\(call.operation) failed", detail: answer.text)
        }
    }

    /// A program of a `manual` step, directly, never through a shell.
    func execute(_ program: String, _ arguments: [String]) async -> Result<Void, BastionError> {
        guard program.hasPrefix("/") else {
            return .failure(
                BastionError(.usage, "\"\(program)\" is no absolute path", hint: "name the program of `exec` by its whole path"))
        }
        note("running \(program)")
        guard await OutsideProgram.output(program, arguments, within: .seconds(1800)) != nil else {
            return .failure(BastionError(.failed, "\"\(program)\" did not succeed"))
        }
        return .success(())
    }
}
