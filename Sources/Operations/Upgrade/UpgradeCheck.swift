import ClusterModel

/// `upgrade-check`: whether the cluster is ready for another version, and in which order to install it.
package enum UpgradeCheckOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var to: String?
        package var binary: String?
        package var binaryReport: String?
        package var downgrade: Bool?

        package init(to: String? = nil, binaryReport: String? = nil, downgrade: Bool? = nil) {
            self.to = to
            self.binaryReport = binaryReport
            self.downgrade = downgrade
        }
    }

    package static let definition = OperationDefinition(
        name: "upgrade-check", summary: "tell whether the cluster is ready for an upgrade",
        discussion: """
            Judges the cluster, and with --to or --binary the step to that version: configuration, state schema, protocol, \
            PostgreSQL. Lists the nodes in the order to upgrade them. Exits 0 when ready, 2 when not, 10 for a version this \
            program knows nothing of; the binary of that version can tell for itself with --binary.
            """,
        parameters: [
            ParameterDefinition(name: "to", kind: .text, help: "version to go to", example: "1.1.0"),
            ParameterDefinition(
                name: "binary", kind: .text, help: "binary of that version on this machine; it is run with `version` and `config validate`",
                example: "/tmp/pgbastion-1.1.0"),
            ParameterDefinition(
                name: "binary_report", kind: .text, help: "what that binary said, as JSON; the command line fills it in from --binary"),
            ParameterDefinition(name: "downgrade", kind: .flag, help: "go back to an older version"),
        ],
        errorCodes: [.notFound, .invalidRequest],
        examples: ["pgbastion upgrade-check", "pgbastion upgrade-check --to 1.0.0", "pgbastion upgrade-check --downgrade --to 1.0.0"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> UpgradeReport {
        guard input.binary == nil || input.binaryReport != nil else {
            throw BastionError(
                .invalidRequest, "a daemon runs no binary it is told of",
                hint: "use the command line: `pgbastion upgrade-check --binary PATH`")
        }
        let target = try target(input)
        let view = await context.gateway.view()
        let doctor = UpgradeChecks.ofDoctor.compactMap { id -> DiagnosisCheck? in
            var check = DiagnosisCheck.all.first { $0.id == id }
            // Nothing is wrong with a running operation, but the daemons that carry it out must not be restarted.
            if id == "no_operation_in_progress" { check?.severity = .error }
            return check
        }
        let answers = await DiagnosisRequest(topics: DoctorOperation.topics(of: doctor), of: view.memberNames).ask(in: context)
        var results: [DiagnosisResult] = []
        for check in doctor + [UpgradeChecks.directives, UpgradeChecks.peers] + own(target, input, view) {
            results += judge(check, view, answers)
        }
        return UpgradeReport(
            checks: results, order: order(view), from: view.version, to: target?.facts.version, notes: target?.facts.notes ?? [])
    }

    private struct Target {
        var facts: ReleaseFacts
        var report: BinaryReport?
    }

    private static func target(_ input: Input) throws(BastionError) -> Target? {
        if let text = input.binaryReport {
            let report = try JSONText.decode(BinaryReport.self, from: Array(text.utf8))
            if let wanted = input.to, wanted != report.version {
                throw BastionError(.invalidRequest, "\(report.path) is version \(report.version), not \(wanted)")
            }
            return Target(facts: report.release, report: report)
        }
        guard let wanted = input.to else { return nil }
        guard let facts = ReleaseTable.release(wanted) else {
            throw BastionError(
                .notFound, "version \"\(wanted)\" is not known to this program",
                detail: "known: \(ReleaseTable.all.map(\.version).joined(separator: ", "))",
                hint: "give the binary of that version: `pgbastion upgrade-check --to \(wanted) --binary PATH`")
        }
        return Target(facts: facts, report: nil)
    }

    private static func own(_ target: Target?, _ input: Input, _ view: ClusterView) -> [DiagnosisCheck] {
        target.map { UpgradeChecks.ofTarget($0.facts, from: view.version, downgrade: input.downgrade == true, report: $0.report) } ?? []
    }

    private static func judge(
        _ check: DiagnosisCheck, _ view: ClusterView, _ answers: [(node: NodeName, answer: Result<NodeDiagnosis, BastionError>)]
    ) -> [DiagnosisResult] {
        guard check.needs != .cluster else { return [check.result(on: DiagnosisSubject(diagnosis: nil, view: view, answers: answers))] }
        return answers.map { node, answer in
            var diagnosis: NodeDiagnosis?
            if case .success(let told) = answer { diagnosis = told }
            var result = check.result(on: DiagnosisSubject(diagnosis: diagnosis, view: view, answers: answers))
            result.node = node
            return result
        }
    }

    /// Replicas and witnesses first, the Raft leader last among them, the primary's node last of all.
    static func order(_ view: ClusterView) -> [NodeName] {
        let rank = { (name: NodeName) in name == view.primary?.name ? 2 : name == view.raft.leader ? 1 : 0 }
        return view.memberNames.sorted { (rank($0), $0) < (rank($1), $1) }
    }
}

/// What `upgrade-check` found.
package struct UpgradeReport: OperationOutput {
    package var ready: Bool
    package var checks: [DiagnosisResult]
    /// In which to upgrade the nodes, one after the other.
    package var order: [NodeName]
    package var from: String
    /// null without `to`.
    @Nullable package var to: String?
    package var notes: [String]

    init(checks: [DiagnosisResult], order: [NodeName], from: String, to: String?, notes: [String]) {
        ready = !checks.contains { $0.result == .fail && $0.severity != .info }
        self.checks = checks
        self.order = order
        self.from = from
        self.to = to
        self.notes = notes
    }

    package var text: String {
        var table = TextTable("CHECK", "NODE", "RESULT", "MESSAGE")
        for check in checks { table.add(check.id, (check.node?.rawValue).orDash, check.result.rawValue, check.message) }
        let hints = checks.filter { $0.result == .fail }.compactMap { check in check.hint.map { "hint for \(check.id): \($0)" } }
        let step = to.map { "\(from) to \($0)" } ?? from
        return
            ([table.text] + hints + [
                "order: \(order.map(\.rawValue).joined(separator: ", "))", "\(step): \(ready ? "ready" : "not ready")",
            ])
            .joined(separator: "\n")
    }
    package var names: [String] { order.map(\.rawValue) }
    package var exitStatus: Int32 { ready ? 0 : 2 }
}
