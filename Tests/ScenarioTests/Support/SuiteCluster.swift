import Bastion
import Glibc
import Testing

/// The cluster of a suite: made when the suite begins, stopped when it ends, and made anew after a scenario that broke it.
actor SuiteCluster {
    @TaskLocal static var current: SuiteCluster?

    let label: String
    let nodes: Int
    let isStarted: Bool
    private var present: Sandbox?
    private var isBroken = false
    private var made = 0
    /// A cluster that did not even start will not start for the next scenario either.
    private var cannotStart = false

    init(label: String, nodes: Int, isStarted: Bool) {
        self.label = label
        self.nodes = nodes
        self.isStarted = isStarted
    }

    static func required() throws -> SuiteCluster {
        guard let current else { throw ScenarioFailure("the suite has no cluster") }
        return current
    }

    /// The pause's lease is short, since a failover while paused must wait for its end when the old machine is gone.
    static let extraConfiguration = """
        failover:
          pause_lease: 8s

        """

    func sandbox() async throws -> Sandbox {
        if let present, !isBroken { return present }
        if let present {
            await present.stop()
            Report.line("the logs of the failed scenario are in \(present.layout.directory)")
        }
        guard !cannotStart else { throw ScenarioFailure("the cluster could not be started before") }
        present = nil
        isBroken = false
        made += 1
        let directory = "/tmp/pgbastion-test-\(getpid())-\(label)-\(made)"
        let sandbox = try SandboxEntry.make(
            directory: directory, nodes: nodes, binary: ProgramUnderTest.copy,
            extraConfiguration: SuiteCluster.extraConfiguration, log: { Report.line($0) })
        present = sandbox
        guard isStarted else { return sandbox }
        let began = ContinuousClock.now
        do {
            try await sandbox.start()
            try await sandbox.prepareClients()
        } catch {
            cannotStart = true
            noteFailure("the start of the cluster", error)
            throw error
        }
        Report.line("\(nodes) nodes started and joined in \(Report.seconds(ContinuousClock.now - began))")
        return sandbox
    }

    /// Shows the ends of the daemons' logs; the next scenario gets a new cluster.
    func noteFailure(_ name: String, _ error: any Error) {
        isBroken = true
        Report.line("FAILED \(name): \(error)")
        guard let present else { return }
        for node in present.layout.nodes {
            Report.line("---- end of the log of \(node.name)")
            let tail = Shell.run("tail -n 30 '\(present.layout.log(node))'")
            for row in tail.output.split(separator: "\n") { Report.line("  " + row) }
        }
    }

    func end() async {
        guard let present else { return }
        await present.stop()
        if !isBroken { present.remove() }
        self.present = nil
    }
}

/// Gives a suite its cluster.
struct ClusterTrait: SuiteTrait, TestScoping {
    let label: String
    let nodes: Int
    let isStarted: Bool

    var isRecursive: Bool { false }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let cluster = SuiteCluster(label: label, nodes: nodes, isStarted: isStarted)
        do {
            try await SuiteCluster.$current.withValue(cluster) { try await function() }
        } catch {
            await cluster.end()
            throw error
        }
        await cluster.end()
    }
}

extension Trait where Self == ClusterTrait {
    /// A cluster whose nodes have all joined.
    static func cluster(_ label: String, nodes: Int) -> ClusterTrait {
        ClusterTrait(label: label, nodes: nodes, isStarted: true)
    }

    /// Nodes that are configured and do not run.
    static func unstartedNodes(_ label: String, nodes: Int) -> ClusterTrait {
        ClusterTrait(label: label, nodes: nodes, isStarted: false)
    }
}
