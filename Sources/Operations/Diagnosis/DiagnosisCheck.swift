import ClusterModel

/// One check of `doctor`, defined once: command, documentation and tests read this.
package struct DiagnosisCheck: Sendable {
    package enum Severity: String, Codable, Sendable, CaseIterable { case error, warning, info }

    /// What must be there for the check to be decided at all.
    package enum Need: String, Sendable {
        /// This machine and its configuration file; works without a daemon.
        case machine
        /// A running daemon of the node.
        case daemon
        /// What the cluster knows of itself; judged once, not per node.
        case cluster
    }

    /// `local.disk_space`, or a named check of operations and runbooks such as `not_paused`.
    package var id: String
    package var category: String
    package var severity: Severity
    package var needs: Need
    /// Asked before the first start as well (`--pre`).
    package var isBeforeStart: Bool
    /// One line: what is true when it is ok.
    package var asks: String
    package var hint: String?
    /// What a node must be asked for so that it can be decided.
    package var topics: Set<DiagnosisTopic>
    package var judge: @Sendable (DiagnosisSubject) -> DiagnosisVerdict

    init(
        _ category: String, _ name: String, _ severity: Severity, needs: Need = .machine, before isBeforeStart: Bool = false,
        named: Bool = false, topics: Set<DiagnosisTopic> = [], asks: String, hint: String? = nil,
        _ judge: @escaping @Sendable (DiagnosisSubject) -> DiagnosisVerdict
    ) {
        id = named ? name : "\(category).\(name)"
        self.category = category
        self.severity = severity
        self.needs = needs
        self.isBeforeStart = isBeforeStart
        self.topics = topics
        self.asks = asks
        self.hint = hint
        self.judge = judge
    }
}

/// How a check ended. Safety: what could not be found out is `skipped` with the reason, never `ok`.
package enum DiagnosisVerdict: Sendable, Hashable {
    case ok(String)
    case fail(String, detail: String? = nil, hint: String? = nil)
    case skipped(String)

    /// The verdict of a check that operations refuse with.
    init(_ check: PlanCheck, ok: String) {
        self = check.ok ? .ok(ok) : .fail(check.message)
    }
}

/// What a check judges: one node's facts, and the cluster around it.
package struct DiagnosisSubject: Sendable {
    package var diagnosis: NodeDiagnosis?
    /// nil without a daemon.
    package var view: ClusterView?
    /// What the members answered, the judged one included; nil: it was not asked.
    package var answers: [(node: NodeName, answer: Result<NodeDiagnosis, BastionError>)]

    package init(
        diagnosis: NodeDiagnosis?, view: ClusterView? = nil,
        answers: [(node: NodeName, answer: Result<NodeDiagnosis, BastionError>)] = []
    ) {
        self.diagnosis = diagnosis
        self.view = view
        self.answers = answers
    }

    /// The answers there are.
    var known: [(node: NodeName, diagnosis: NodeDiagnosis)] {
        answers.compactMap { node, answer in
            if case .success(let diagnosis) = answer { (node, diagnosis) } else { nil }
        }
    }

    /// Members that gave no answer, each with the reason.
    var silent: [String] {
        answers.compactMap { node, answer in
            if case .failure(let error) = answer { "\(node) could not be asked: \(error.message)" } else { nil }
        }
    }
}

extension DiagnosisCheck {
    /// The categories in the order of the documentation.
    package static let categories = [
        "local", "config", "network", "raft", "cluster", "postgres", "replication", "vip", "backup", "security", "systemd",
        "upgrade",
    ]

    /// Every check, category by category.
    package static let all: [DiagnosisCheck] =
        local + config + network + raft + cluster + postgres + replication + vip + backup + security + systemd + upgrade

    /// One check judged on one subject; what its need lacks skips it.
    package func result(on subject: DiagnosisSubject) -> DiagnosisResult {
        DiagnosisResult(self, node: needs == .cluster ? nil : subject.diagnosis?.node, verdict(on: subject))
    }

    private func verdict(on subject: DiagnosisSubject) -> DiagnosisVerdict {
        switch needs {
        case .machine:
            guard subject.diagnosis != nil else { return .skipped("the node could not be asked") }
        case .daemon:
            guard subject.diagnosis?.isDaemon == true else { return .skipped("no daemon answered") }
        case .cluster:
            guard subject.view != nil else { return .skipped("no daemon answered") }
        }
        return judge(subject)
    }
}

/// One line of `doctor`.
package struct DiagnosisResult: Codable, Sendable, Hashable {
    package enum Result: String, Codable, Sendable, CaseIterable { case ok, fail, skipped }
    package var id: String
    package var severity: DiagnosisCheck.Severity
    package var result: Result
    package var message: String
    @Nullable package var detail: String?
    @Nullable package var hint: String?
    /// nil for what concerns the cluster, and for a machine without a readable configuration.
    @Nullable package var node: NodeName?

    init(_ check: DiagnosisCheck, node: NodeName?, _ verdict: DiagnosisVerdict) {
        id = check.id
        severity = check.severity
        self.node = node
        switch verdict {
        case .ok(let text):
            (result, message, detail, hint) = (.ok, text, nil, nil)
        case .fail(let text, let detail, let hint):
            (result, message, self.detail, self.hint) = (.fail, text, detail, hint ?? check.hint)
        case .skipped(let reason):
            (result, message, detail, hint) = (.skipped, reason, nil, nil)
        }
    }
}
