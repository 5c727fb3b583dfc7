import ClusterModel

/// `pgconfig.get`: the managed settings.
package enum PgconfigGetOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var names: [String]?
    }

    package static let definition = OperationDefinition(
        name: "pgconfig.get", summary: "show the settings of PostgreSQL that the cluster manages",
        parameters: [
            ParameterDefinition(name: "names", kind: .textList, help: "only these", position: 0, example: "work_mem")
        ],
        examples: ["pgbastion pgconfig get", "pgbastion pgconfig get work_mem"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PgconfigOutput {
        PgconfigOutput(await context.gateway.view(), only: input.names ?? [])
    }
}

/// `pgconfig.set`: changes settings on every node.
package enum PgconfigSetOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var settings: [String]
        package var expectedVersion: Int?
    }

    package static let definition = OperationDefinition(
        name: "pgconfig.set", summary: "change settings of PostgreSQL on every node",
        discussion: """
            The values are checked by PostgreSQL before anything is changed, then replicated, written by every node and reloaded. \
            What needs a restart is listed; settings that must not be smaller on a replica are raised on the replicas first.
            """,
        parameters: [
            ParameterDefinition(
                name: "settings", kind: .textList, help: "NAME=VALUE", isRequired: true, position: 0, example: "work_mem=64MB",
                limits: ParameterLimits(form: "^[a-z_]{1,30}=[a-zA-Z0-9_. ]{1,30}$")),
            PgconfigChange.versionParameter,
        ],
        risk: .disruptive, scope: .leader, checks: ["pgconfig.allowed", "pgconfig.version"],
        errorCodes: [.preconditionFailed, .invalidData, .unavailable, .noLeader],
        examples: ["pgbastion pgconfig set work_mem=64MB --yes", "pgbastion pgconfig set max_connections=300 --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PgconfigOutput {
        var set: [String: String] = [:]
        for text in input.settings {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw BastionError(.invalidRequest, "\"\(text.prefix(100))\" is not NAME=VALUE", hint: "example: work_mem=64MB")
            }
            set[parts[0].lowercased()] = String(parts[1])
        }
        return try await PgconfigChange(set: set, unset: [], expectedVersion: input.expectedVersion).carryOut(in: context)
    }
}

/// `pgconfig.unset`: gives settings back to each node's own configuration.
package enum PgconfigUnsetOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var names: [String]
        package var expectedVersion: Int?
    }

    package static let definition = OperationDefinition(
        name: "pgconfig.unset", summary: "stop managing settings of PostgreSQL",
        discussion: "Each node goes back to what its own configuration says.",
        parameters: [
            ParameterDefinition(
                name: "names", kind: .textList, help: "the settings", isRequired: true, position: 0, example: "work_mem"),
            PgconfigChange.versionParameter,
        ],
        risk: .disruptive, scope: .leader, checks: ["pgconfig.allowed", "pgconfig.version"],
        errorCodes: [.preconditionFailed, .noLeader], examples: ["pgbastion pgconfig unset work_mem --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PgconfigOutput {
        try await PgconfigChange(set: [:], unset: input.names.map { $0.lowercased() }, expectedVersion: input.expectedVersion)
            .carryOut(in: context)
    }
}

/// One change of the managed settings: checked, committed, waited for.
package struct PgconfigChange: Sendable {
    var set: [String: String]
    var unset: [String]
    var expectedVersion: Int?

    package init(set: [String: String], unset: [String], expectedVersion: Int?) {
        self.set = set
        self.unset = unset
        self.expectedVersion = expectedVersion
    }

    static let versionParameter = ParameterDefinition(
        name: "expected_version", kind: .integer, help: "refuse when the settings were changed meanwhile", example: "3")
    /// Limit: how long the nodes may take to reload before they are only warned about.
    private static let reloadLimit: Duration = .seconds(15)

    package func carryOut(in context: OperationContext) async throws(BastionError) -> PgconfigOutput {
        let view = await context.gateway.view()
        try refuse()
        try await checkValues(view, context)
        if context.dryRun { return try planned(view) }
        let version = expectedVersion.map { UInt64(clamping: $0) }
        let reply = try await context.submit(.patchPostgresParameters(expectedVersion: version, set: set, unset: unset))
        return await outcome(before: view, changed: !reply.alreadySo, context)
    }

    /// `pgconfig.allowed`
    private func refuse() throws(BastionError) {
        let refused = (set.keys.sorted() + unset.sorted()).compactMap { name in
            PostgresParameterRules.refusal(of: name).map { FailedCheck(id: "pgconfig.allowed", path: name, actual: $0) }
        }
        guard let first = refused.first else { return }
        throw BastionError(
            .preconditionFailed, "refused: \(first.actual ?? "")",
            detail: refused.map { "check pgconfig.allowed: \($0.actual ?? "")." }.joined(separator: "\n") + " Nothing was changed.",
            checks: refused)
    }

    /// By the primary's PostgreSQL, else by that of any node that answers.
    private func checkValues(_ view: ClusterView, _ context: OperationContext) async throws(BastionError) {
        guard !set.isEmpty else { return }
        let first = view.primary?.name
        let nodes = view.nodes.filter { $0.kind == .data }.map(\.name).sorted { a, b in (a == first ? 0 : 1, a) < (b == first ? 0 : 1, b) }
        var last = BastionError(.unavailable, "no node with PostgreSQL answers", detail: "The values could not be checked.")
        for node in nodes {
            do throws(BastionError) {
                let request = NodeRequest.inspect(.checkSettings(set))
                guard case .inspected(.problems(let problems)) = try await context.ask(node, request, limit: .seconds(30)) else {
                    throw NodeReply.mismatch(request)
                }
                return try refuse(problems)
            } catch {
                if error.code == .invalidData { throw error }
                last = error
            }
        }
        throw last
    }

    private func refuse(_ problems: [String: String]) throws(BastionError) {
        let sorted = problems.sorted { $0.key < $1.key }
        guard let first = sorted.first else { return }
        throw BastionError(
            .invalidData, "\(first.key): \(first.value)",
            detail: sorted.map { "\($0.key): \($0.value)" }.joined(separator: "\n") + "\nNothing was changed.",
            hint: "see the manual of PostgreSQL, or `SELECT * FROM pg_settings`")
    }

    private func planned(_ view: ClusterView) throws(BastionError) -> PgconfigOutput {
        let present = view.postgresParameters?.values ?? [:]
        let steps =
            set.sorted { $0.key < $1.key }.map { "\($0.key): \(present[$0.key] ?? "not managed") -> \($0.value)" }
            + unset.sorted().map { "\($0): \(present[$0] ?? "not managed") -> not managed" }
        var output = PgconfigOutput(view)
        output.plan = try OperationPlan(
            operation: "pgconfig", checks: [PlanCheck("pgconfig.allowed", true, or: "")],
            steps: steps + ["reload every node's PostgreSQL"])
        return output
    }

    /// Waits until every server that runs has taken the version.
    private func outcome(before: ClusterView, changed: Bool, _ context: OperationContext) async -> PgconfigOutput {
        let limit = context.waitLimit.map { min($0, PgconfigChange.reloadLimit) } ?? .zero
        let wanted = (before.postgresParameters?.version ?? 0) + (changed ? 1 : 0)
        let done = await ViewWatch.first(of: context.gateway, limit: max(limit, .milliseconds(1))) { view in
            (view.postgresParameters?.version ?? 0) >= wanted && PgconfigChange.missing(in: view).isEmpty ? view : nil
        }
        var last = done
        if last == nil { last = await context.gateway.view() }
        guard let view = last else { return PgconfigOutput(before) }
        var output = PgconfigOutput(view, changed: changed)
        output.notes = PgconfigChange.missing(in: view).map { "\($0) has not taken the settings yet" }
        return output
    }

    static func missing(in view: ClusterView) -> [NodeName] {
        let version = view.postgresParameters?.version ?? 0
        return view.nodes.filter { $0.kind == .data && $0.parametersVersion ?? 0 < version && version > 0 }.map(\.name)
    }
}
