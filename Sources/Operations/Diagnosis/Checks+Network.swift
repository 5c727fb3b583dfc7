import ClusterModel

/// Categories `network`, `raft` and `cluster`.
extension DiagnosisCheck {
    /// Beyond this people are misled by times in logs; nothing else depends on it (GD8).
    private static let largestOffset = 1.0
    /// A commit waits for two of these; beyond it elections and leases are at risk.
    private static let slowestDisk = 0.05
    private static let oldestDirective = 60.0

    static let network: [DiagnosisCheck] = [
        DiagnosisCheck(
            "network", "ports.free", .error, before: true, named: true, topics: [.machine],
            asks: "every port of the configuration is free, or held by this daemon",
            hint: "stop what listens there, or give pgbastion another port"
        ) { subject in
            guard let facts = subject.diagnosis, !facts.ports.isEmpty else { return .skipped("the ports are not known") }
            let taken = facts.ports.filter { $0.state == .taken }
            if !taken.isEmpty {
                return .fail(
                    taken.map { "port \($0.port) of \($0.key) is taken on \($0.host)" }.joined(separator: ", "),
                    detail: taken.compactMap(\.reason).joined(separator: "\n"))
            }
            let unknown = facts.ports.filter { $0.state == .unknown }
            guard unknown.isEmpty else {
                return .skipped(unknown.map { "port \($0.port): \($0.reason ?? "unknown")" }.joined(separator: ", "))
            }
            return .ok(count(facts.ports.count, "port"))
        },
        dial("peer_port_out", asks: "this node reaches the Raft port of every member") { subject in
            guard let facts = subject.diagnosis else { return .skipped("the node could not be asked") }
            let name = facts.node?.rawValue ?? "this node"
            guard !facts.peers.isEmpty else { return alone(subject) }
            let failed = facts.peers.compactMap { pair(from: name, $0) }
            return failed.isEmpty
                ? .ok("\(name) reaches \(count(facts.peers.count, "member"))") : .fail(failed[0], detail: failed.joined(separator: "\n"))
        },
        dial("peer_port_in", asks: "every member reaches this node's Raft port; each dials back") { subject in
            guard let own = subject.diagnosis?.node else { return .skipped("the node could not be asked") }
            let others = subject.known.filter { $0.node != own }
            let failed = others.flatMap { other in
                other.diagnosis.peers.filter { $0.name == own }.compactMap { pair(from: other.node.rawValue, $0) }
            }
            if !failed.isEmpty { return .fail(failed[0], detail: failed.joined(separator: "\n")) }
            guard subject.silent.isEmpty else { return .skipped(subject.silent.joined(separator: "; ")) }
            let tried = others.filter { $0.diagnosis.peers.contains { $0.name == own } }
            guard !tried.isEmpty else { return alone(subject) }
            return .ok("\(count(tried.count, "member")) reach\(tried.count == 1 ? "es" : "") \(own)")
        },
        DiagnosisCheck(
            "network", "proxy_ports", .error, needs: .daemon, topics: [.machine], asks: "both proxy ports listen",
            hint: "look at the log for the reason"
        ) { subject in
            let ports = subject.diagnosis?.ports.filter { $0.key.hasPrefix("proxy.") } ?? []
            guard !ports.isEmpty else { return .skipped("the ports are not known") }
            let silent = ports.filter { $0.state != .listening }
            return silent.isEmpty
                ? .ok("ports \(ports.map { "\($0.port)" }.joined(separator: " and ")) listen")
                : .fail("nobody listens on \(silent.map { "\($0.key) \($0.port)" }.joined(separator: ", "))")
        },
        DiagnosisCheck(
            "network", "clock_offset", .info, needs: .daemon, topics: [.network],
            asks: "the clocks of the members differ by less than a second; reported, never a safety matter",
            hint: "synchronise the clocks; elections, leases and failover do not depend on them"
        ) { subject in
            let measured = subject.diagnosis?.peers.filter { $0.clockOffsetSeconds != nil } ?? []
            guard !measured.isEmpty else { return .skipped("no other clock could be read") }
            let shown = measured.map { "\($0.label) \(signed($0.clockOffsetSeconds ?? 0))" }.joined(separator: ", ")
            let isOff = measured.contains { abs($0.clockOffsetSeconds ?? 0) > largestOffset }
            return isOff ? .fail("clock offsets: \(shown)") : .ok("clock offsets: \(shown)")
        },
    ]

    static let raft: [DiagnosisCheck] = [
        cluster("raft", "leader", .error, asks: "this node knows a leader", hint: "run `pgbastion doctor network`") { view in
            guard let leader = view.raft.leader else { return .fail("no leader is known; this node is a \(view.raft.state)") }
            return .ok("\(leader) leads term \(view.raft.term)")
        },
        cluster("raft", "quorum", .error, asks: "a majority of the voters answers", hint: "run `pgbastion doctor network`") { view in
            guard view.raft.voters > 0 else { return .skipped("this node knows no voters yet") }
            let text = "\(view.raft.votersReachable) of \(view.raft.voters) voters answer"
            return view.raft.hasQuorum ? .ok(text) : .fail(text)
        },
        cluster(
            "raft", "failures_tolerated", .warning, asks: "one more voter may fail without a stop of writes",
            hint: "bring voters back, or add a witness: two voters stop with the loss of either"
        ) { view in
            guard view.raft.voters > 0 else { return .skipped("this node knows no voters yet") }
            let tolerated = view.raft.failuresTolerated
            let text = "\(count(tolerated, "failure")) tolerated with \(count(view.raft.voters, "voter"))"
            return tolerated > 0 ? .ok(text) : .fail(text)
        },
        cluster("raft", "log_position", .warning, asks: "every member has the committed log", hint: "wait with `pgbastion wait caught-up`")
        { view in
            let behind = view.peers.compactMap { peer -> String? in
                guard let match = peer.matchIndex else { return nil }
                let distance = view.raft.commitIndex > match ? view.raft.commitIndex - match : 0
                return distance > 1000 ? "\(peer.name) is \(distance) entries behind" : nil
            }
            guard view.raft.isLeader || view.peers.contains(where: { $0.matchIndex != nil }) else {
                return view.raft.commitIndex > view.raft.appliedIndex + 1000
                    ? .fail("this node has applied \(view.raft.appliedIndex) of \(view.raft.commitIndex) entries")
                    : .ok("applied \(view.raft.appliedIndex) of \(view.raft.commitIndex)")
            }
            return behind.isEmpty ? .ok("commit index \(view.raft.commitIndex)") : .fail(behind.joined(separator: ", "))
        },
        DiagnosisCheck(
            "raft", "cluster_id", .error, needs: .daemon, topics: [.raft, .network], asks: "every member belongs to the same cluster",
            hint: "run `pgbastion node reset` on the node that is to join"
        ) { subject in
            guard let own = subject.diagnosis?.raft?.clusterID else { return .skipped("this node belongs to no cluster yet") }
            let foreign = subject.known.filter { ($0.diagnosis.raft?.clusterID).map { $0 != own } ?? false }.map { "\($0.node)" }
            guard foreign.isEmpty else { return .fail("\(foreign.joined(separator: ", ")) belong to another cluster") }
            guard subject.silent.isEmpty else { return .skipped(subject.silent.joined(separator: "; ")) }
            return .ok("cluster \(own)")
        },
        DiagnosisCheck(
            "raft", "disk_latency", .warning, needs: .daemon, topics: [.raft], asks: "a small write reaches the disk within 50 ms",
            hint: "put raft.data_dir on a disk that is not shared with heavy load"
        ) { subject in
            guard let seconds = subject.diagnosis?.raft?.diskLatencySeconds else { return .skipped("it was not measured") }
            let text = "write and sync take \(DecimalText.oneDigit(seconds * 1000)) ms"
            return seconds <= slowestDisk ? .ok(text) : .fail(text)
        },
        cluster(
            "raft", "directives_stuck", .warning, asks: "no directive waits longer than a minute",
            hint: "see `pgbastion directive list`"
        ) { view in
            let now = Timestamp.seconds(view.capturedAt)
            let open = view.directives.filter { !["completed", "failed", "cancelled", "expired"].contains($0.status) }
            let stuck = open.filter { directive in
                guard let now, let since = Timestamp.seconds(directive.createdAt) else { return false }
                return now - since > oldestDirective
            }
            return stuck.isEmpty
                ? .ok(count(open.count, "open directive"))
                : .fail(stuck.map { "\($0.id) (\($0.type)) waits for \($0.targetNode)" }.joined(separator: ", "))
        },
    ]

    static let cluster: [DiagnosisCheck] = [
        cluster(
            "cluster", "healthy", .error, asks: "every node does what it should", hint: "run `pgbastion status` and `pgbastion health NODE`"
        ) { view in
            let bad = view.nodes.filter { !$0.healthy }
            guard !view.nodes.isEmpty else { return .skipped("this node knows no nodes yet") }
            return bad.isEmpty
                ? .ok("\(count(view.nodes.count, "node")) healthy") : .fail(bad.map { "\($0.name) is \($0.state)" }.joined(separator: ", "))
        },
        cluster("cluster", "has_quorum", .error, asks: "changes can be agreed on") { view in
            DiagnosisVerdict(view.checkQuorum(), ok: "the cluster has a leader")
        },
        cluster(
            "cluster", "one_primary", .error, named: true, asks: "exactly one node is the primary and serves",
            hint: "see `pgbastion routes` and `pgbastion status`"
        ) { view in
            guard view.nodes.contains(where: { $0.kind == .data }) else { return .skipped("there is no data node yet") }
            return DiagnosisVerdict(view.checkOnePrimary(), ok: "\(view.primary.map { "\($0.name)" } ?? "-") is the primary")
        },
        cluster(
            "cluster", "no_split_brain", .error, asks: "no two writable servers are seen",
            hint: "fence the wrong one: `pgbastion node fence NODE`, then `pgbastion failover`"
        ) { view in
            DiagnosisVerdict(view.checkNoSplitBrain(), ok: "one writer at most")
        },
        cluster("cluster", "not_paused", .warning, named: true, asks: "automatic failover is on", hint: "`pgbastion resume`") { view in
            DiagnosisVerdict(view.checkNotPaused(), ok: "automatic failover is on")
        },
        cluster("cluster", "no_operation_in_progress", .info, named: true, asks: "no operation runs", hint: "`pgbastion op list`") { view in
            DiagnosisVerdict(view.checkIdle(), ok: "no operation runs")
        },
        DiagnosisCheck(
            "cluster", "digest.agrees", .error, needs: .daemon, named: true, topics: [.raft],
            asks: "nodes that applied the same entries have the same state", hint: "keep all logs and report it"
        ) { subject in
            guard let own = subject.diagnosis?.raft, let digest = own.stateDigest else {
                return .skipped("the state could not be digested")
            }
            let comparable = subject.known.filter {
                $0.node != subject.diagnosis?.node && $0.diagnosis.raft?.appliedIndex == own.appliedIndex
                    && $0.diagnosis.raft?.stateDigest != nil
            }
            let different = comparable.filter { $0.diagnosis.raft?.stateDigest != digest }.map { "\($0.node)" }
            if !different.isEmpty {
                return .fail("the state of \(different.joined(separator: ", ")) differs at index \(own.appliedIndex)")
            }
            guard subject.silent.isEmpty else { return .skipped(subject.silent.joined(separator: "; ")) }
            let others = subject.known.filter { $0.node != subject.diagnosis?.node }.count
            guard comparable.count == others else { return .skipped("the nodes were not at the same index") }
            return .ok("\(count(others + 1, "node")) at index \(own.appliedIndex)")
        },
    ]

    static func cluster(
        _ category: String, _ name: String, _ severity: Severity, named: Bool = false, asks: String, hint: String? = nil,
        _ judge: @escaping @Sendable (ClusterView) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        DiagnosisCheck(category, name, severity, needs: .cluster, named: named, asks: asks, hint: hint) { subject in
            subject.view.map(judge) ?? .skipped("no daemon answered")
        }
    }

    private static func dial(
        _ name: String, asks: String, _ judge: @escaping @Sendable (DiagnosisSubject) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        DiagnosisCheck(
            "network", name, .error, needs: .daemon, topics: [.network], asks: asks,
            hint: "check that the daemon runs there, then firewalls and routes between the two", judge)
    }

    private static func alone(_ subject: DiagnosisSubject) -> DiagnosisVerdict {
        subject.view.map { $0.peers.count == 1 } == true ? .ok("there is no other member") : .skipped("no other member is known")
    }

    /// P22: the pair that fails, by name.
    private static func pair(from name: String, _ dial: PeerDial) -> String? {
        dial.error.map { "\(name) -> \(dial.label) (\(dial.address)): \($0)" }
    }

    private static func signed(_ seconds: Double) -> String {
        (seconds < 0 ? "-" : "+") + DecimalText.age(abs(seconds))
    }
}

extension PeerDial {
    /// Its name, or its address when no name is known.
    var label: String { name?.rawValue ?? address }
}
