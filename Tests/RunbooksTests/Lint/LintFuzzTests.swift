import ClusterModel
import ConfigFiles
import Operations
import Testing

@testable import Runbooks

/// Any byte string ends in diagnostics, never in a crash.
struct LintFuzzTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 33)
        }
    }

    private static let seeds = [
        LintSupport.text(),
        LintSupport.text(
            steps:
                "  - { id: a, manual: { instructions: \"${params.target}\", simulate: [ { path: \"nodes[name=${vars.old}].version\", set: \"1.0.0\" } ] } }\n"
        ),
        LintSupport.condition(
            "{ all: [ { path: \"nodes[role=replica]\", every: { lag_bytes: { lte: 10MiB } } }, { path: nodes, count: { gte: 2, where: { healthy: { equals: true } } } } ] }"
        ),
        LintSupport.text(
            steps:
                "  - id: b\n    for_each: { in: { nodes: { name: { in: [a, b] } } }, order: [ { by: name } ], serial: [1, 2], between: { check: cluster.healthy } }\n    steps: [ { id: c, run: node.drain, with: { node: \"${node.name}\" } } ]\n"
        ),
    ].map { Array($0.utf8) }

    @Test func `changed, cut and joined runbooks end in diagnostics`() {
        var random = Generator(state: 20_260_217)
        for round in 0..<3000 {
            var bytes = Self.seeds[round % Self.seeds.count]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: Array("${}[]\"'{},:=*&\n-".utf8).shuffled(using: &random).prefix(3), at: place)
                default: bytes = Array(bytes.prefix(max(1, place)))
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            let found = RunbookLint.check(LintSupport.reading(bytes), file: "x.yaml", in: LintEnvironment()).diagnostics
            for diagnostic in found {
                #expect(diagnostic.at.start.line >= 1 && diagnostic.at.start.column >= 1)
                _ = DiagnosticText.text(
                    diagnostic, lines: String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false))
            }
        }
    }

    @Test func `random bytes end in diagnostics`() {
        var random = Generator(state: 4711)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let (runbook, found) = RunbookLint.check(LintSupport.reading(bytes), file: "x.yaml", in: LintEnvironment())
            #expect(runbook == nil && !found.isEmpty)
        }
    }

    @Test func `a large file of nested and repeated values is read in time`() {
        let steps = (0..<4000).map { "  - { id: s\($0), confirm: { message: \"${params.target} ${vars.old}\" } }\n" }.joined()
        let text = LintSupport.text(steps: steps)
        let start = ContinuousClock.now
        _ = LintSupport.lint(text)
        #expect(ContinuousClock.now - start < .seconds(20), "1 s is the limit of an optimised build")
    }

    /// No value can change the structure of a path, a list of arguments or a message.
    @Test(arguments: ["\"", "]", "a]", "node2,role=primary", "${state.primary.name}", "$${", "\n", "*", "a\"]", "[*]", "'", "%", "\\"])
    func `a parameter is never syntax`(_ value: String) throws {
        let runbook = try #require(
            LintSupport.runbook(LintSupport.condition("{ path: \"nodes[name=${params.target}].role\", equals: \"${params.target}\" }")))
        guard case .assert(let condition, _) = runbook.steps[1].kind, case .confirm(let message, _) = runbook.steps[0].kind else {
            Issue.record("the runbook has other steps")
            return
        }
        var scope = EvaluationScope(
            state: .object([
                .init(
                    name: "nodes",
                    value: .array([.object([.init(name: "name", value: .string("node2")), .init(name: "role", value: .string("primary"))])])
                )
            ]))
        scope.params = ["target": .string(value)]
        #expect(scope.judge(condition).status == .unknown)
        #expect(message.map { scope.text(of: $0) } == value)
        #expect(message.map { scope.value(of: $0) } == .string(value))
    }
}
