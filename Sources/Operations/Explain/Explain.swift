import ClusterModel

/// `explain`: why the last decision was taken, and why a node is or is not a candidate (PR8, D69).
package enum ExplainOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var at: String?
        package var rule: String?
    }

    package static let definition = OperationDefinition(
        name: "explain", summary: "say why the last decision was taken, and why a node is or is not a candidate",
        discussion: """
            Every decision and refusal of the cluster is recorded with the rules that made it, a digest of the facts and the \
            nodes that were not chosen. Without NODE the last one is shown, with NODE the last one about it and what would keep \
            it from being promoted now. `history`, `events` and `audit list` show more of the record.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "explain this node", position: 0, example: "node2"),
            ParameterDefinition(
                name: "at", kind: .text, help: "the last decision not after this time", example: "2026-02-17T02:00Z",
                limits: ParameterLimits(
                    form: "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$")),
            ParameterDefinition(name: "rule", kind: .text, help: "only say what this rule is", example: "SE4"),
        ],
        errorCodes: [.notFound, .invalidRequest],
        examples: ["pgbastion explain", "pgbastion explain node2", "pgbastion explain --rule SE4"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> ExplainOutput {
        let view = await context.gateway.view()
        if let id = input.rule {
            guard let rule = RuleTable.rule(id) else {
                throw BastionError(.notFound, "rule \"\(id.prefix(64))\" is not known", hint: "see docs/explain.md for all of them")
            }
            return ExplainOutput(decision: nil, rules: [rule], candidates: [], waitsFor: nil)
        }
        if let node = input.node { _ = try view.requireNode(node) }
        var records = view.decisions
        if let at = input.at {
            let limit = try TimeArgument.milliseconds(at, now: view.capturedAt, field: "at")
            // A time is given to the second: what was decided within it counts.
            records = records.filter { $0.at <= limit + 999 }
        }
        let decision = ExplainOutput.decision(about: input.node, in: records)
        return ExplainOutput(decision, about: input.node, in: view, isPast: input.at != nil)
    }
}

package struct ExplainOutput: OperationOutput {
    package struct Candidate: Codable, Sendable {
        package var node: NodeName
        package var candidate: Bool
        package var chosen: Bool
        package var reasons: [String]
        /// `decision`: as it was then; `now`.
        package var asOf: String
    }
    @Nullable package var decision: DecisionRow? = nil
    package var rules: [RuleTable.Rule]
    package var candidates: [Candidate]
    /// What the cluster waits for now; null when nothing is wrong.
    @Nullable package var waitsFor: String? = nil

    /// About a node: the last one that names it. Else the last one about the primary; upkeep only when there is nothing else.
    static func decision(about node: NodeName?, in records: [DecisionRecord]) -> DecisionRecord? {
        if let node {
            return records.last { $0.node == node || $0.candidates.contains { $0.node == node } }
        }
        let kinds = ["operation.", "primary.", "policy.", "failover."]
        return records.last { record in kinds.contains { record.kind.hasPrefix($0) } } ?? records.last
    }

    init(_ record: DecisionRecord?, about node: NodeName?, in view: ClusterView, isPast: Bool) {
        var rows = (record?.candidates ?? []).filter { node == nil || $0.node == node }.map {
            Candidate(node: $0.node, candidate: $0.isChosen, chosen: $0.isChosen, reasons: [$0.reason], asOf: "decision")
        }
        if !isPast, node != nil || rows.isEmpty {
            rows += view.nodes.filter { node == nil || $0.name == node }.map(Candidate.init(now:))
        }
        let waiting = isPast ? nil : view.operation.flatMap { $0.message.isEmpty ? nil : $0.message }
        var ids = record?.rules ?? []
        for text in rows.flatMap(\.reasons) + [waiting ?? "", record?.text ?? ""] {
            for id in RuleMention.ids(in: text) where !ids.contains(id) { ids.append(id) }
        }
        rules = RuleTable.rules(ids)
        candidates = rows
        decision = record.map(DecisionRow.init)
        waitsFor = waiting
    }

    init(decision: DecisionRow?, rules: [RuleTable.Rule], candidates: [Candidate], waitsFor: String?) {
        self.decision = decision
        self.rules = rules
        self.candidates = candidates
        self.waitsFor = waitsFor
    }
}

extension ExplainOutput.Candidate {
    init(now node: NodeView) {
        let isPrimary = node.role == .primary
        let reasons = isPrimary ? ["it is the primary"] : node.promotableReasons
        self.init(
            node: node.name, candidate: node.promotable, chosen: isPrimary,
            reasons: reasons.isEmpty ? ["SE5: eligible"] : reasons, asOf: "now")
    }
}

extension ExplainOutput {
    package var names: [String] { rules.map(\.id) }

    package var text: String {
        var lines: [String] = []
        if let decision {
            lines.append("decision \(decision.number) · \(decision.at) · \(decision.kind) · by \(decision.actor)")
            lines.append(decision.text)
            let facts = [
                decision.operationID.map { "operation \($0)" }, decision.inputs.map { "facts \($0)" },
                decision.requestID.map { "request \($0)" }, decision.reason.map { "reason: \($0)" },
            ].compactMap { $0 }
            if !facts.isEmpty { lines.append(facts.joined(separator: " · ")) }
        } else if candidates.isEmpty, rules.count == 1, let rule = rules.first {
            return "\(rule.id)  \(rule.text)"
        } else {
            lines.append("nothing was decided about this so far")
        }
        if let waitsFor { lines.append("waits: \(waitsFor)") }
        if !candidates.isEmpty { lines += ["", candidateTable] }
        if !rules.isEmpty { lines += ["", ruleTable] }
        return lines.joined(separator: "\n")
    }

    private var candidateTable: String {
        var table = TextTable("NODE", "WHEN", "CANDIDATE", "WHY")
        for candidate in candidates {
            let state = candidate.chosen ? "chosen" : candidate.candidate ? "yes" : "no"
            table.add(candidate.node.rawValue, candidate.asOf, state, candidate.reasons.joined(separator: "; "))
        }
        return table.text
    }

    private var ruleTable: String {
        var table = TextTable("RULE", "MEANS")
        for rule in rules { table.add(rule.id, rule.text) }
        return table.text
    }
}
