import ClusterModel
import Glibc
import PostgresControl

/// The figures of performance.md section 1: how long a client sees no acknowledged commit, per event, over several rounds.
package struct OutageMeasurement: Sendable {
    package let sandbox: Sandbox
    package let rounds: Int
    package let log: @Sendable (String) -> Void

    package init(sandbox: Sandbox, rounds: Int, log: @escaping @Sendable (String) -> Void) {
        self.sandbox = sandbox
        self.rounds = rounds
        self.log = log
    }

    package enum Event: String, Sendable, CaseIterable {
        case nodeKilled = "node killed"
        case postmasterKilled = "postmaster killed"
        case switchover
        /// The must of performance.md, in seconds.
        var limit: Double {
            switch self {
            case .nodeKilled: 4.0
            case .postmasterKilled: 1.0
            case .switchover: 0.8
            }
        }
    }

    /// - Returns: 0 when every median is within its limit and no acknowledged row is missing, else 1.
    package func run() async throws(BastionError) -> Int32 {
        try await sandbox.start()
        try await sandbox.prepareClients()
        var gaps: [Event: [Double]] = [:]
        var lost = 0
        var acknowledged = 0
        for round in 1...rounds {
            for event in Event.allCases {
                let (gap, probe) = try await measure(event)
                gaps[event, default: []].append(gap)
                let primary = try await sandbox.primary()
                lost += try probe.missing(on: sandbox.adminConnection(primary)).count
                acknowledged += probe.acknowledged.count
                log("round \(round)  \(event.rawValue)  \(rounded(gap)) s")
                try await emptyTable(primary)
            }
        }
        return report(gaps, acknowledged, lost)
    }

    private func measure(_ event: Event) async throws(BastionError) -> (Double, CommitProbe) {
        try await sandbox.waitUntilHealthy(seconds: 90)
        try await sandbox.waitForSynchronousSet()
        let primary = try await sandbox.primary()
        // The client enters through a node that stays.
        let probe = CommitProbe(connection: sandbox.clientConnection(sandbox.layout.nodes.filter { $0 != primary }))
        probe.start()
        defer { probe.stop() }
        try await commits(probe, 200)
        probe.beginWindow()
        switch event {
        case .nodeKilled: sandbox.killNode(primary)
        case .postmasterKilled: sandbox.signal(SIGKILL, .postmaster, primary)
        case .switchover:
            let answer = try await sandbox.call("switchover", through: primary, wait: .seconds(60))
            guard answer.ok else { throw BastionError(.failed, "the switchover failed", detail: answer.text) }
        }
        try await commits(probe, 200)
        let gap = probe.window.longestGap.inSeconds
        if event == .nodeKilled { try sandbox.startDaemon(primary) }
        return (gap, probe)
    }

    private func commits(_ probe: CommitProbe, _ count: Int) async throws(BastionError) {
        let wanted = probe.commitsSoFar + count
        try await sandbox.wait("\(count) commits", seconds: 60) { probe.commitsSoFar >= wanted }
    }

    private func emptyTable(_ primary: SandboxNode) async throws(BastionError) {
        _ = try SimpleQuery.column("TRUNCATE \(CommitProbe.table)", on: sandbox.adminConnection(primary))
    }

    private func report(_ gaps: [Event: [Double]], _ acknowledged: Int, _ lost: Int) -> Int32 {
        var isGood = lost == 0
        log("")
        for event in Event.allCases {
            let sorted = (gaps[event] ?? []).sorted()
            guard let first = sorted.first, let last = sorted.last else { continue }
            let median = sorted[sorted.count / 2]
            let verdict = median <= event.limit ? "within" : "OVER"
            if median > event.limit { isGood = false }
            log(
                "\(event.rawValue): median \(rounded(median)) s, min \(rounded(first)), max \(rounded(last)), "
                    + "\(sorted.count) rounds; \(verdict) the limit of \(event.limit) s")
        }
        log("acknowledged rows \(acknowledged), lost \(lost)")
        return isGood ? 0 : ErrorCode.failed.exitStatus
    }

    private func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}
