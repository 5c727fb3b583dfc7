import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import Operations

/// `restore ARCHIVE --section pgconfig`: the managed settings of an archive, through the normal commands of the running cluster.
package struct RestoreSection: Sendable {
    package struct Plan: Sendable {
        package var archive: String
        package var cluster: String
        /// What will be set: name, present value or nil, archived value.
        package var changes: [(name: String, before: String?, after: String)]
        /// Managed now, and not in the archive.
        package var removals: [(name: String, before: String)]
        package var version: Int64

        package var isEmpty: Bool { changes.isEmpty && removals.isEmpty }
        package var lines: [String] {
            changes.map { "\($0.name): \($0.before ?? "not managed") -> \($0.after)" }
                + removals.map { "\($0.name): \($0.before) -> not managed" }
        }
    }

    let configurationPath: String
    let connect: @Sendable () throws(BastionError) -> any OperationInvoker

    package init(configurationPath: String, connect: @escaping @Sendable () throws(BastionError) -> any OperationInvoker) {
        self.configurationPath = configurationPath
        self.connect = connect
    }

    package func plan(_ word: String, overrides: [String]) async throws(BastionError) -> Plan {
        let site = try RecoverySite(configurationPath: configurationPath)
        let folder = BackupFolder(directory: site.configuration.backup.directory, clusterName: site.clusterName)
        let source = try RestoreSource.open(word, folder, mayBeUnsealed: overrides.contains("unsealed"))
        let present = try await invoke("pgconfig.get", .object([]))
        guard source.manifest.cluster.name == site.clusterName else {
            throw refusal(
                .preconditionFailed, "cluster_name_mismatch",
                "the archive is of cluster \"\(source.manifest.cluster.name)\", this one is \"\(site.clusterName)\"",
                hint: "take an archive of this cluster: `pgbastion backup list`")
        }
        var before: [String: String] = [:]
        for member in present["parameters"]?.members ?? [] { before[member.name] = member.value.string }
        let after = source.state.postgresParameters?.values ?? [:]
        return Plan(
            archive: source.manifest.id, cluster: site.clusterName,
            changes: after.sorted { $0.key < $1.key }.filter { before[$0.key] != $0.value }.map { ($0.key, before[$0.key], $0.value) },
            removals: before.sorted { $0.key < $1.key }.filter { after[$0.key] == nil }.map { ($0.key, $0.value) },
            version: present["version"]?.integer ?? 0)
    }

    /// Refused by the cluster when somebody changed the settings since the plan.
    package func carryOut(_ plan: Plan) async throws(BastionError) {
        var version = plan.version
        if !plan.changes.isEmpty {
            let settings = plan.changes.map { JSONValue.string("\($0.name)=\($0.after)") }
            let data = try await invoke("pgconfig.set", input("settings", settings, version))
            version = data["version"]?.integer ?? version + 1
        }
        guard !plan.removals.isEmpty else { return }
        _ = try await invoke("pgconfig.unset", input("names", plan.removals.map { .string($0.name) }, version))
    }

    private func input(_ name: String, _ values: [JSONValue], _ version: Int64) -> JSONValue {
        .object([.init(name: name, value: .array(values)), .init(name: "expected_version", value: .number("\(version)"))])
    }

    private func invoke(_ operation: String, _ input: JSONValue) async throws(BastionError) -> JSONValue {
        let call = OperationCall(
            operation: operation, input: input.bytes, requestID: BackupRun.requestID(), forward: true, waitLimit: .seconds(60),
            timeout: .seconds(65))
        let envelope = try OperationEnvelope(parsing: try await connect().invoke(call))
        if let error = envelope.error { throw error }
        return envelope.data ?? .null
    }
}

extension RestoreSection.Plan {
    package func answer(isDone: Bool) -> LocalAnswer {
        let rows = changes.map { row($0.name, $0.before, $0.after) } + removals.map { row($0.name, $0.before, nil) }
        let head =
            isEmpty
            ? "the managed settings are those of \(archive): nothing to do"
            : "settings \(isDone ? "restored" : "to restore") from \(archive)"
        return LocalAnswer(text: ([head] + lines).joined(separator: "\n"), data: .object([.init(name: "changes", value: .array(rows))]))
    }

    private func row(_ name: String, _ before: String?, _ after: String?) -> JSONValue {
        .object([
            .init(name: "name", value: .string(name)), .init(name: "before", value: before.map { .string($0) } ?? .null),
            .init(name: "after", value: after.map { .string($0) } ?? .null),
        ])
    }
}
