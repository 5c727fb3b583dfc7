import ClusterModel

/// `doctor`: everything that can be wrong, looked at.
package enum DoctorOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var categories: [String]?
        package var pre: Bool?
        package var nagios: Bool?
        package var node: NodeName?
        package var all: Bool?

        package init() {}
    }

    package static let definition = OperationDefinition(
        name: "doctor", summary: "look for everything that can be wrong",
        discussion: """
            Each check ends as ok, fail, or skipped with the reason; what could not be found out is never ok. Exits 0 when \
            nothing failed, else 2. Failed checks of severity info do not count. Without a daemon the part about this machine \
            still works. Categories: \(DiagnosisCheck.categories.joined(separator: ", ")).
            """,
        parameters: [
            ParameterDefinition(
                name: "categories", kind: .textList, help: "only these categories", position: 0, choices: DiagnosisCheck.categories,
                example: "network"),
            ParameterDefinition(name: "pre", kind: .flag, help: "only what can be known before the first start, on this machine"),
            ParameterDefinition(
                name: "nagios", kind: .flag, help: "one line for a monitoring plugin; exits 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"),
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the part of this node; default is the one that answers", example: "node2"),
            ParameterDefinition(name: "all", kind: .flag, help: "the parts of all nodes"),
        ],
        errorCodes: [.notFound],
        examples: [
            "pgbastion doctor", "pgbastion doctor --pre", "pgbastion doctor postgres --node node2", "pgbastion doctor raft network local",
            "pgbastion doctor --nagios",
        ])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> DoctorReport {
        let checks = try selected(input)
        let view = await context.gateway.view()
        let judged = try subjects(input, view)
        let answers = await DiagnosisRequest(topics: topics(of: checks), of: asked(judged, checks, view)).ask(in: context)
        var results: [DiagnosisResult] = []
        for check in checks {
            for (index, node) in judged.enumerated() {
                let subject = DiagnosisSubject(diagnosis: diagnosis(of: node, in: answers), view: view, answers: answers)
                if check.needs == .cluster, index > 0 { continue }
                var result = check.result(on: subject)
                if check.needs != .cluster { result.node = node }
                results.append(result)
            }
        }
        return DoctorReport(results, nagios: input.nagios == true)
    }

    /// The part that needs no daemon, on this machine.
    ///
    /// - Parameter reason: Why no daemon answered; nil with `pre`, which asks none.
    package static func offline(_ input: Input, _ diagnosis: NodeDiagnosis, reason: String?) throws(BastionError) -> DoctorReport {
        let subject = DiagnosisSubject(diagnosis: diagnosis)
        var report = DoctorReport(try selected(input).map { $0.result(on: subject) }, nagios: input.nagios == true)
        report.daemon = reason
        return report
    }

    /// What must be asked for these checks.
    package static func topics(of checks: [DiagnosisCheck]) -> Set<DiagnosisTopic> {
        checks.reduce(into: Set()) { $0.formUnion($1.topics) }
    }

    package static func selected(_ input: Input) throws(BastionError) -> [DiagnosisCheck] {
        let wanted = input.categories ?? []
        if let unknown = wanted.first(where: { !DiagnosisCheck.categories.contains($0) }) {
            throw BastionError(
                .usage, "\"\(unknown)\" is no category of doctor",
                detail: "categories: \(DiagnosisCheck.categories.joined(separator: ", "))",
                hint: NameSuggestion.hint(for: unknown, among: DiagnosisCheck.categories))
        }
        return DiagnosisCheck.all.filter {
            (wanted.isEmpty || wanted.contains($0.category)) && (input.pre != true || $0.isBeforeStart)
        }
    }

    private static func subjects(_ input: Input, _ view: ClusterView) throws(BastionError) -> [NodeName] {
        guard input.node == nil || input.all != true else { throw BastionError(.usage, "--node and --all exclude each other") }
        if input.all == true { return view.memberNames }
        guard let node = input.node, node != view.node else { return [view.node] }
        return [try view.requireNode(node).name]
    }

    /// What compares nodes, or dials back, asks them all; everything else only the judged ones.
    private static func asked(_ judged: [NodeName], _ checks: [DiagnosisCheck], _ view: ClusterView) -> [NodeName] {
        let comparing: Set<String> = [
            "config.drift", "network.peer_port_in", "raft.cluster_id", "digest.agrees", "vip.configured",
        ]
        guard checks.contains(where: { comparing.contains($0.id) }) else { return judged }
        return Set(judged + view.memberNames).sorted()
    }

    private static func diagnosis(
        of node: NodeName, in answers: [(node: NodeName, answer: Result<NodeDiagnosis, BastionError>)]
    ) -> NodeDiagnosis? {
        guard case .success(let diagnosis) = answers.first(where: { $0.node == node })?.answer else { return nil }
        return diagnosis
    }
}

/// What `doctor` found.
package struct DoctorReport: OperationOutput {
    package struct Category: Codable, Sendable {
        package var name: String
        package var checks: [DiagnosisResult]
    }
    package var ok: Bool
    package var categories: [Category]
    /// Why no daemon was asked; null when one answered.
    @Nullable package var daemon: String?
    package var nagios: Bool

    init(_ results: [DiagnosisResult], nagios: Bool) {
        let byID = Dictionary(grouping: results, by: \.id)
        categories = DiagnosisCheck.categories.compactMap { name in
            let checks = DiagnosisCheck.all.filter { $0.category == name }.flatMap { byID[$0.id] ?? [] }
            return checks.isEmpty ? nil : Category(name: name, checks: checks)
        }
        ok = !results.contains { $0.result == .fail && $0.severity != .info }
        self.nagios = nagios
        daemon = nil
    }

    private var results: [DiagnosisResult] { categories.flatMap(\.checks) }
    private var failed: [DiagnosisResult] { results.filter { $0.result == .fail && $0.severity != .info } }

    package var text: String { nagios ? nagiosLine : plain(wide: false) }
    package var wideText: String { nagios ? nagiosLine : plain(wide: true) }
    package var names: [String] { failed.map(\.id) }
    package var exitStatus: Int32 { nagios ? nagiosStatus : ok ? 0 : 2 }

    private func plain(wide: Bool) -> String {
        let severalNodes = Set(results.compactMap(\.node)).count > 1
        var lines: [String] = []
        for category in categories {
            lines.append(category.name)
            for check in category.checks { lines += show(check, withNode: severalNodes, wide: wide) }
        }
        let count = { (result: DiagnosisResult.Result) in results.count { $0.result == result } }
        lines.append("\(count(.ok)) ok, \(count(.fail)) failed, \(count(.skipped)) skipped" + (daemon.map { "; no daemon: \($0)" } ?? ""))
        return lines.joined(separator: "\n")
    }

    private func show(_ check: DiagnosisResult, withNode: Bool, wide: Bool) -> [String] {
        let mark = check.result == .ok ? "ok" : check.result == .skipped ? "skipped" : check.severity.rawValue
        let place = withNode ? (check.node.map { " [\($0)]" } ?? "") : ""
        var lines = ["  \(mark.padding(to: 8)) \(check.id)\(place): \(check.message)"]
        guard check.result == .fail || wide else { return lines }
        if let detail = check.detail, detail != check.message {
            lines += detail.split(separator: "\n").map { "             \($0)" }
        }
        if let hint = check.hint { lines.append("             hint: \(hint)") }
        return lines
    }

    /// 3 when nothing failed and no daemon could be asked: the cluster may be in any state.
    private var nagiosStatus: Int32 {
        if failed.contains(where: { $0.severity == .error }) { return 2 }
        if !failed.isEmpty { return 1 }
        return daemon == nil ? 0 : 3
    }

    private var nagiosLine: String {
        let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][Int(nagiosStatus)]
        let passed = results.count { $0.result == .ok }
        let said =
            failed.isEmpty
            ? daemon ?? "\(passed) checks"
            : failed.prefix(3).map { "\($0.id): \($0.message)" }.joined(separator: "; ")
                + (failed.count > 3 ? "; \(failed.count - 3) more" : "")
        // What follows a bar is performance data; the text must not contain one.
        return "PGBASTION \(word) - \(said.replacing("|", with: "/"))"
            + " | ok=\(passed) failed=\(failed.count) skipped=\(results.count { $0.result == .skipped })"
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}
