import ClusterModel
import FoundationEssentials
import Operations
import Runbooks
import Testing

/// What is in `runbooks/` is as good as the engine that runs it: linted, tested, covered, and planned (runbooks.md, section 13).
@Suite struct ShippedRunbookTests {
    private let library: [String: LoadedRunbook]
    private let tests: [TestFile]
    private let runner: TestRunner

    init() throws {
        library = try ShippedRunbooks.library()
        tests = try ShippedRunbooks.tests()
        runner = ShippedRunbooks.runner(library)
    }

    /// The table of section 13, in its order, and the variant of rolling-upgrade.
    private static let names = [
        "bootstrap-first-node", "add-node", "remove-node", "failover", "switchover", "maintenance-window", "backup-now", "backup-drill",
        "rejoin-node", "restore-complete-loss", "restore-point-in-time", "recover-lost-quorum", "primary-data-corruption",
        "resolve-split-brain", "reinit-replica", "diagnose-health", "diagnose-no-leader", "diagnose-vip", "diagnose-lag", "pre-upgrade",
        "rolling-upgrade", "rollback-node", "blue-green-cutover", "post-upgrade-verify", "container-upgrade",
    ]

    @Test func `every procedure of the specification ships, with a test file`() {
        #expect(library.keys.sorted() == Self.names.sorted())
        #expect(tests.map(\.runbook.value).sorted() == Self.names.sorted())
    }

    @Test func `every shipped runbook and test file lints without a warning`() throws {
        var findings: [RunbookDiagnostic] = []
        let environment = LintEnvironment(runbooks: library.mapValues(\.runbook), anchors: try Self.anchors())
        for name in library.keys.sorted() {
            let bytes = try ShippedRunbooks.bytes("\(ShippedRunbooks.directory)/\(name).yaml")
            findings += RunbookLint.check(ShippedRunbooks.reading(bytes), file: "runbooks/\(name).yaml", in: environment).diagnostics
        }
        let testLint = TestFileLint(library: library) { name in
            do throws(BastionError) { return .success(try runner.state(name)) } catch { return .failure(error) }
        }
        for file in tests { findings += testLint.findings(file) }
        #expect(findings.isEmpty, "\(findings.map(Self.line).joined(separator: "\n"))")
    }

    @Test func `the cases of every shipped runbook show what they must`() {
        let coverage = Coverage(library: library, tests: tests, shipped: Set(Self.names)) { "runbooks/\($0).yaml" }
        #expect(coverage.findings.isEmpty, "\(coverage.findings.map(Self.line).joined(separator: "\n"))")
    }

    /// Every heading below which the guide tells somebody to do something.
    private static let procedures = [
        "#first-node-bootstrap", "#additional-nodes", "#adding-a-node", "#removing-a-node", "#manual-failover", "#graceful-switchover",
        "#pausing-auto-failover", "#option-1-filesystem-backup-recommended", "#option-2-live-backup-using-snapshots",
        "#automated-backup-script", "#scenario-1-single-node-recovery-cluster-still-healthy",
        "#scenario-2-complete-cluster-loss-restore-from-backup", "#scenario-3-point-in-time-recovery", "#backup-best-practices",
        "#scenario-lost-quorum-majority-of-nodes-down", "#scenario-primary-data-corruption", "#health-check-failures",
        "#raft-not-electing-leader", "#split-brain-detection", "#vip-not-assigned", "#high-replication-lag", "#pre-upgrade-checklist",
        "#rolling-upgrade-recommended", "#blue-green-upgrade-zero-downtime", "#rollback-procedure", "#dockercontainer-upgrades",
        "#post-upgrade-verification",
    ]

    /// Anchors of the guide, from the copy that the tests of the whole guide run.
    private static func anchors() throws -> Set<String> {
        let guide = try ShippedRunbooks.bytes("\(ShippedRunbooks.directory)/../Tests/GuideTests/operations-guide.md")
        return LintEnvironment.anchors(inMarkdown: String(decoding: guide, as: UTF8.self))
    }

    @Test func `every procedure of the guide is named by a runbook`() {
        let named = Set(library.values.flatMap { $0.runbook.metadata.guide.map(\.value) })
        #expect(Self.procedures.filter { !named.contains($0) } == [])
    }

    @Test func `no shipped runbook sleeps`() {
        for (name, loaded) in library {
            let calls = loaded.runbook.allSteps.compactMap { step -> String? in
                if case .run(let call) = step.kind { call.operation.value } else { nil }
            }
            #expect(!calls.contains { $0.contains("sleep") }, "\(name)")
        }
    }

    // MARK: Plans

    /// The first case of a runbook that succeeds on the simulator stands for its plan.
    private func plan(_ file: TestFile) async throws -> RunPlan? {
        guard let one = file.cases.first(where: { $0.place == .simulator && $0.expected.status == .succeeded && $0.faults.isEmpty }) else {
            return nil
        }
        let world = try runner.world(one)
        let contexts = Dictionary(try one.contexts.map { ($0.name, try runner.state($0.state)) }) { first, _ in first }
        let order = try runner.order(one, file, state: world.finalState)
        return try await RunPlan.make(order, state: world.finalState, contexts: contexts)
    }

    @Test func `plans of the same inputs are byte for byte the ones kept beside this test`() async throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/plans")
        let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"
        if isRecording { try FileManager.default.createDirectory(at: golden, withIntermediateDirectories: true) }
        for file in tests {
            let first = try #require(try await plan(file), "\(file.runbook.value)").document.bytes
            let second = try #require(try await plan(file)).document.bytes
            #expect(first == second, "\(file.runbook.value) is planned in two ways")
            let path = golden.appending(path: "\(file.runbook.value).json")
            if isRecording { try Data(first + [0x0A]).write(to: path) }
            let kept = Array(try Data(contentsOf: path))
            let isSame = kept == first + [0x0A]
            #expect(isSame, "the plan of \(file.runbook.value) has changed; RECORD=1 writes it anew")
        }
    }

    @Test func `a plan of a happy case is feasible`() async throws {
        for file in tests {
            let made = try #require(try await plan(file), "\(file.runbook.value)")
            #expect(made.exitStatus == 0, "\(file.runbook.value): \(made.exitStatus)")
        }
    }

    private static func line(_ finding: RunbookDiagnostic) -> String {
        "\(finding.file):\(finding.at.start.line):\(finding.at.start.column): \(finding.severity.rawValue)[\(finding.rule.rawValue)]: \(finding.message)"
            + (finding.help.map { " (\($0))" } ?? "")
    }
}
