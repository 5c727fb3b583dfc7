import ClusterModel
import Testing

@testable import Runbooks

/// One mistake each: `«` stands where the finding must point to.
struct LintTableTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var rule: LintRule
        var text: String
        var help: String?
        init(_ rule: LintRule, _ text: String, help: String? = nil) {
            self.rule = rule
            self.text = text
            self.help = help
        }
        var testDescription: String { "\(rule.rawValue) \(text.split(separator: "\n").first { $0.contains("«") } ?? "")" }
    }

    private static func steps(_ text: String) -> String { LintSupport.text(steps: text) }
    private static func condition(_ text: String) -> String { LintSupport.condition(text) }

    static let form: [Mistake] = [
        Mistake(.notYAML, steps("  - { id: a, confirm: { message: hi }\n  «- { id: b }\n")),
        Mistake(.duplicateKey, LintSupport.text(metadata: "  «title: again\n")),
        Mistake(.refusedFeature, steps("  - { id: a, confirm: «&x { message: hi } }\n")),
        Mistake(.refusedFeature, steps("  - { id: a, confirm: { message: «*x } }\n")),
        Mistake(.refusedFeature, steps("  - { id: a, confirm: { message: «!!str hi } }\n")),
        Mistake(.refusedFeature, LintSupport.text(metadata: "  «<<: { tags: [a] }\n")),
        Mistake(.severalDocuments, LintSupport.text() + "\n«---\na: 1\n"),
        Mistake(
            .ambiguousScalar, steps("  - { id: a, confirm: { message: hi }, point_of_no_return: «yes }\n"), help: "write true or false"),
        Mistake(.ambiguousScalar, condition("{ path: raft.voters, equals: «017 }")),
        Mistake(.ambiguousScalar, condition("{ path: raft.has_quorum, equals: «on }")),
        Mistake(.unknownKey, LintSupport.text(metadata: "  «riks: read\n"), help: "did you mean 'risk'?"),
        Mistake(.unknownKey, steps("  - { id: a, confirm: { message: hi }, «retrie: { attempts: 2 } }\n"), help: "did you mean 'retry'?"),
        Mistake(.unknownKey, condition("{ path: raft.voters, «equal: 3 }"), help: "did you mean 'equals'?"),
        Mistake(.missingKey, steps("  - { «title: no id, confirm: { message: hi } }\n")),
        Mistake(.missingKey, condition("{ «path: raft.voters }")),
        Mistake(.wrongType, steps("  - { id: a, confirm: { message: hi }, timeout: «12 }\n"), help: "did you mean '12s'?"),
        Mistake(.wrongType, steps("  - { id: a, confirm: «hello }\n")),
        Mistake(
            .wrongType, LintSupport.text(parameters: "  - { name: size, type: bytes, default: «12MB }\n"), help: "did you mean '12MiB'?"),
        Mistake(
            .valueNotAllowed, steps("  - { id: a, confirm: { message: hi }, on_failure: «rolback }\n"), help: "did you mean 'rollback'?"),
        Mistake(.valueNotAllowed, condition("{ path: raft.voters, gt: 1, «lt: 5 }"), help: "write two conditions in `all`"),
        Mistake(.valueNotAllowed, steps("  - { id: a, assert: { that: { check: one_primary } }, «with: { a: 1 } }\n")),
        Mistake(.valueNotAllowed, LintSupport.text(end: "lock: «claster\n"), help: "did you mean 'cluster'?"),
        Mistake(.valueNotAllowed, condition("{ path: \"nodes[role=«replika]\", count: { gte: 1 } }"), help: "did you mean 'replica'?"),
        Mistake(.badID, steps("  - { id: «Bad_Id, confirm: { message: hi } }\n")),
        Mistake(.badID, steps("  - { id: «ask, confirm: { message: hi } }\n")),
        Mistake(.stepKind, steps("  - { «id: a, title: nothing }\n")),
        Mistake(.stepKind, steps("  - { id: a, confirm: { message: hi }, «assert: { that: { check: one_primary } } }\n")),
        Mistake(.requires, LintSupport.text(metadata: "  requires: «\">=99.0.0\"\n")),
    ]

    static let meaning: [Mistake] = [
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"«${params.tarqet}\" } }\n"), help: "did you mean 'target'?"),
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"now «${vars.odl}\" } }\n"), help: "did you mean 'old'?"),
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"«${env.HOME}\" } }\n")),
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"«${state.primary.nam}\" } }\n"), help: "did you mean 'name'?"),
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"«${run.usr}\" } }\n"), help: "did you mean 'user'?"),
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"«${params.target\" } }\n")),
        Mistake(.unknownReference, steps("  - { id: a, confirm: { message: \"«${steps.nothing.id}\" } }\n")),
        Mistake(.unknownPath, condition("{ path: raft.«leadr, equals: node1 }"), help: "did you mean 'leader'?"),
        Mistake(
            .unknownPath, condition("{ path: \"nodes[name=${params.target}].«lagg_bytes\", lte: 1MiB }"), help: "did you mean 'lag_bytes'?"),
        Mistake(.unknownPath, condition("{ path: nodes, every: { «helthy: { equals: true } } }"), help: "did you mean 'healthy'?"),
        Mistake(.unknownPath, condition("{ path: \"nodes[«nam=a].role\", equals: replica }"), help: "did you mean 'name'?"),
        Mistake(.unknownPath, condition("{ path: \"nodes[name=«]\", exists: true }")),
        Mistake(.unknownOperation, steps("  - { id: a, run: «swichover, undo: none }\n"), help: "did you mean 'switchover'?"),
        Mistake(.unknownOperation, steps("  - { id: a, run: «reinit, undo: none }\n"), help: "did you mean 'node.reinit'?"),
        Mistake(.argument, steps("  - { id: a, run: node.drain, with: { node: node2, «forse: true } }\n")),
        Mistake(.argument, steps("  - { id: a, run: «node.drain }\n")),
        Mistake(
            .argument, steps("  - { id: a, run: switchover, undo: none, with: { to: node2, max_lag: «10MB } }\n"),
            help: "did you mean '10MiB'?"),
        Mistake(
            .argument, steps("  - { id: a, run: node.reinit, undo: none, with: { node: node2, method: «basebakup } }\n"),
            help: "did you mean 'basebackup'?"),
        Mistake(
            .argument, steps("  - { id: a, assert: { that: { check: replica.caught_up, with: { node: a, «maxlag: 1MiB } } } }\n"),
            help: "did you mean 'max_lag'?"),
        Mistake(.argument, steps("  - { id: a, assert: { that: { check: «replica.caught_up } } }\n")),
        Mistake(.operatorType, condition("{ path: raft.leader, «gt: 5 }")),
        Mistake(.operatorType, condition("{ path: raft.voters, equals: «many }")),
        Mistake(.operatorType, condition("{ path: raft.has_quorum, «matches: \"t*\" }")),
        Mistake(.operatorType, condition("{ path: raft.voters, «every: { equals: 1 } }")),
        Mistake(.operatorType, condition("{ path: \"nodes[name=a].version\", version: «newest }")),
        Mistake(.operatorType, condition("{ path: raft.voters, between: [ 1, «2, 3 ] }").replacing("«2, 3", with: "2, «3")),
        Mistake(.operatorType, condition("{ path: backup.last_success_at, newer_than: «soon }")),
        Mistake(.unit, condition("{ path: \"nodes[name=a].lag_bytes\", lte: «30s }")),
        Mistake(.unit, condition("{ path: \"nodes[name=a].lag_bytes\", lte: «10MB }"), help: "did you mean '10MiB'?"),
        Mistake(.unit, condition("{ path: backup.age_seconds, lt: «10MiB }")),
        Mistake(.unit, condition("{ path: raft.voters, gte: «3s }")),
        Mistake(.listWithoutQuantifier, condition("{ path: \"nodes[role=replica].streaming\", «equals: true }")),
        Mistake(.listWithoutQuantifier, condition("{ path: nodes.«name, equals: a }")),
        Mistake(.unknownCheck, condition("{ check: «cluster.has_qorum }"), help: "did you mean 'cluster.has_quorum'?"),
        Mistake(.callCycle, steps("  - { id: a, call: { runbook: «x } }\n")),
        Mistake(
            .skippedStep,
            steps("  - { id: a, run: doctor, when: { check: one_primary } }\n  - { id: b, confirm: { message: \"«${steps.a.ok}\" } }\n")),
        Mistake(.skippedStep, steps("  - { id: b, confirm: { message: \"«${steps.a.ok}\" } }\n  - { id: a, run: doctor }\n")),
    ]

    static let rules: [Mistake] = [
        Mistake(
            .destructiveWithoutConfirm,
            LintSupport.text(steps: "  - { id: «a, run: node.reset, undo: none }\n").replacing("type: \"${vars.old}\", ", with: "")
                .replacing("vars:\n  old: \"${state.primary.name}\"\n", with: "")),
        Mistake(
            .pauseWithoutEnd, LintSupport.text(steps: "  - { id: a, run: «pause }\n", end: "always:\n  - { id: z, run: resume }\n"),
            help: "add for: 2h"),
        Mistake(.pauseWithoutEnd, steps("  - { id: «a, run: pause, with: { for: 2h } }\n")),
        Mistake(.waitWithoutTimeout, steps("  - { id: a, «wait: { until: { check: one_primary } } }\n")),
        Mistake(.mutatingWithoutUndo, steps("  - { id: «a, run: node.reinit, with: { node: node2 } }\n")),
        Mistake(
            .riskTooLow,
            LintSupport.text(steps: "  - { id: a, run: switchover, undo: none }\n").replacing("risk: destructive", with: "risk: «read"),
            help: "did you mean 'disruptive'?"),
        Mistake(.execWithoutCapability, steps("  - { id: a, manual: { instructions: now, exec: [ «\"/bin/true\" ] } }\n")),
        Mistake(
            .noPostconditions,
            LintSupport.text(steps: "  - { id: a, run: switchover, undo: none }\n").replacing("name: x", with: "name: «x")
                .replacing("postconditions:\n  - { id: after, check: one_primary }\n", with: "")),
        Mistake(
            .unlockedChange, LintSupport.text(steps: "  - { id: a, run: switchover, undo: none }\n", end: "lock: «none\n"),
            help: "did you mean 'cluster'?"),
        Mistake(
            .undoNeverRuns,
            steps(
                "  - { id: a, run: failover, point_of_no_return: true }\n  - { id: b, run: node.drain, with: { node: a }, «undo: auto }\n")),
        Mistake(.manualWithoutSimulation, steps("  - { id: «a, manual: { instructions: now, done_when: { check: one_primary } } }\n")),
        Mistake(.noGuide, LintSupport.text().replacing("  guide: \"#x\"\n", with: "").replacing("name: x", with: "name: «x")),
        Mistake(.noHint, LintSupport.text(preconditions: "  - { «id: other, check: one_primary }\n")),
        Mistake(.unused, LintSupport.text(parameters: "  - { name: «extra, type: string }\n")),
        Mistake(.unused, LintSupport.text(vars: "  «extra: 1\n")),
        Mistake(
            .whenAndSkipIf,
            steps("  - { id: a, confirm: { message: hi }, when: { check: one_primary }, skip_if: { «check: not_paused } }\n")),
        Mistake(.sandboxOutside, steps("  - { id: a, run: «sandbox.kill, with: { node: a }, undo: none }\n")),
    ]

    @Test(arguments: form + meaning + rules) func `a mistake is found at its place, with a suggestion`(_ mistake: Mistake) throws {
        let mark = try #require(mistake.text.firstIndex(of: "«"))
        let before = mistake.text[..<mark]
        let line = before.count { $0 == "\n" } + 1
        let column = (before.split(separator: "\n", omittingEmptySubsequences: false).last?.unicodeScalars.count ?? 0) + 1
        let found = LintSupport.lint(mistake.text.replacing("«", with: ""))
        let shown = found.map { DiagnosticText.text($0) }.joined(separator: "\n")
        let hit = found.first { $0.rule == mistake.rule && $0.at.start == TextPosition(line: line, column: column) }
        #expect(hit != nil, "\(mistake.rule.rawValue) at \(line):\(column) expected, found:\n\(shown)")
        #expect(hit.map { $0.at.end >= $0.at.start } ?? true)
        if let help = mistake.help { #expect(hit?.help == help, "\(shown)") }
        // Nothing else is an error: what follows from a mistake is not a second one.
        let others = found.filter { $0.severity == .error && $0.rule != mistake.rule && mistake.rule != .notYAML }
        #expect(others.isEmpty, "\(shown)")
    }

    @Test func `the text around the mistakes is clean`() {
        let found = LintSupport.lint(LintSupport.text(), anchors: ["#x"])
        #expect(found.isEmpty, "\(found.map { DiagnosticText.text($0) })")
    }

    @Test func `there are at least sixty mistakes, and every rule of runbooks has one`() {
        let mistakes = Self.form + Self.meaning + Self.rules
        #expect(mistakes.count >= 60)
        let elsewhere: Set<LintRule> = [.limit, .notUTF8, .fileName, .unknownAnchor, .coverage, .unknownInTest, .badFixture]
        let missing = Set(LintRule.allCases).subtracting(mistakes.map(\.rule)).subtracting(elsewhere)
        #expect(missing.isEmpty, "\(missing)")
    }

    @Test func `a file with another name than the runbook is found, one without is not`() {
        #expect(
            LintSupport.lint(LintSupport.text(), file: "dir/y.yaml").contains { $0.rule == .fileName && $0.help == "did you mean 'y'?" })
        #expect(!LintSupport.lint(LintSupport.text(), file: "dir/x.yaml").contains { $0.rule == .fileName })
    }

    @Test func `an anchor that the guide does not have is found`() {
        let anchors = LintEnvironment.anchors(inMarkdown: "# One\n```\n# not this\n```\n## Rolling Upgrade (Recommended)\n")
        #expect(anchors == ["#one", "#rolling-upgrade-recommended"])
        #expect(LintSupport.lint(LintSupport.text(), anchors: anchors).map(\.rule) == [.unknownAnchor])
        #expect(LintSupport.lint(LintSupport.text(), anchors: ["#x"]).isEmpty)
    }

    @Test func `limits of size, depth and texts are found`() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(LintSupport.lint("a: \(deep)\n").contains { $0.rule == .limit })
        #expect(LintSupport.lint("a: \(String(repeating: "x", count: 9000))\n").contains { $0.rule == .limit })
        #expect(LintSupport.lint(String(repeating: "# comment\n", count: 30_000)).contains { $0.rule == .limit })
        let bytes: [UInt8] = [0x61, 0x3A, 0x20, 0xFF]
        let reading = LintSupport.reading(bytes)
        #expect(RunbookLint.check(reading, file: "x.yaml", in: LintEnvironment()).diagnostics.map(\.rule) == [.notUTF8])
    }
}
