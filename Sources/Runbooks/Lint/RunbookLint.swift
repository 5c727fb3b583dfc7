import ClusterModel
import Operations

/// What the lint knows beside the file itself.
package struct LintEnvironment: Sendable {
    /// The runbooks that `call` can name.
    package var runbooks: [String: Runbook] = [:]
    /// Anchors of the operations guide, with `#`; nil: the guide is not at hand.
    package var anchors: Set<String>?
    package var version = BuildInformation.version

    package init(runbooks: [String: Runbook] = [:], anchors: Set<String>? = nil) {
        self.runbooks = runbooks
        self.anchors = anchors
    }

    /// Anchors of a Markdown text, as GitHub makes them of headings.
    package static func anchors(inMarkdown text: String) -> Set<String> {
        var found: Set<String> = []
        var isCode = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { isCode.toggle() }
            guard !isCode, line.hasPrefix("#") else { continue }
            let title = line.drop { $0 == "#" }
            guard title.first == " " else { continue }
            var anchor = ""
            for character in title.dropFirst().lowercased() {
                if character.isLetter || character.isNumber || character == "_" || character == "-" { anchor.append(character) }
                if character == " " { anchor.append("-") }
            }
            found.insert("#" + anchor)
        }
        return found
    }
}

/// Everything that can be known to be wrong with a runbook without a cluster (runbooks.md, section 10).
package enum RunbookLint {
    /// Reads and checks one file.
    ///
    /// - Parameter file: The path that diagnostics name; its last part must be `<metadata.name>.yaml`.
    package static func check(
        _ reading: YAMLReading, file: String, in environment: LintEnvironment
    ) -> (runbook: Runbook?, diagnostics: [RunbookDiagnostic]) {
        let (runbook, found) = RunbookReader.read(reading, file: file)
        guard let runbook else { return (nil, found) }
        let findings = FindingCollector(file: file, isComplete: reading.isComplete)
        let types = ReferenceTypes(runbook, environment)
        var walk = LintWalk(runbook: runbook, types: types, findings: findings, environment: environment)
        walk.run()
        // What is missing cannot be judged in a text that breaks off, and errors of form make others follow.
        if reading.isComplete { LintRules(runbook: runbook, findings: findings, environment: environment).run(reader: found) }
        return (runbook, unique((found + findings.findings).sorted(by: RunbookDiagnostic.inOrder)))
    }

    /// One finding a place and rule: a wrong key is not reported once by each who looks at it.
    private static func unique(_ diagnostics: [RunbookDiagnostic]) -> [RunbookDiagnostic] {
        var seen: Set<RunbookDiagnostic> = []
        return diagnostics.filter { seen.insert($0).inserted }
    }
}

/// The types that references have in one runbook.
struct ReferenceTypes {
    let params: [String: FieldType]
    let vars: Set<String>
    /// Steps by id, with what they give.
    let outputs: [String: FieldType]
    let schema = StateSchema.standard

    init(_ runbook: Runbook, _ environment: LintEnvironment) {
        params = Dictionary(runbook.parameters.map { ($0.name.value, $0.type) }) { first, _ in first }
        vars = Set(runbook.vars.map(\.name.value))
        let steps = (runbook.steps + runbook.always).flatMap(\.withInner)
        outputs = Dictionary(
            steps.map { step in
                guard case .run(let call) = step.kind else { return (step.id.value, .object([])) }
                return (step.id.value, OperationVocabulary.standard.entry(named: call.operation.value)?.outputs ?? .any)
            }
        ) { first, _ in first }
    }

    static let run = FieldType.object(
        ["id", "runbook", "user", "node", "started_at"].map { name in
            FieldType.Field(name: name, type: name == "started_at" ? .time : .text, isNullable: false)
        })
}

extension RunbookParameter {
    /// Values of the parameter in comparisons.
    var type: FieldType {
        switch kind {
        case .node, .string, .path, .backup, .address: .text
        case .nodes: .list(.text, uniqueKey: nil)
        case .integer: .integer
        case .boolean: .boolean
        case .duration: .seconds
        case .bytes: .bytes
        case .enum: .choice(choices)
        case .version: .version
        case .time: .time
        }
    }
}
