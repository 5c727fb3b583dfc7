import ClusterModel

/// Categories `postgres`, `replication`, `vip` and `upgrade`.
extension DiagnosisCheck {
    private static let largestLag: UInt64 = 10 << 20

    static let postgres: [DiagnosisCheck] = [
        server(
            "bin_dir", .error, before: true, topics: [.machine], asks: "PostgreSQL's programs are in postgresql.bin_dir",
            hint: "install postgresql, or correct postgresql.bin_dir"
        ) { postgres in
            guard let directory = postgres.binDirectory else { return .skipped("postgresql.bin_dir is not set") }
            return postgres.missingPrograms.isEmpty
                ? .ok("\(directory)\(postgres.programVersion.map { ", version \($0)" } ?? "")")
                : .fail("\(directory) lacks \(postgres.missingPrograms.joined(separator: ", "))")
        },
        server(
            "data_dir", .error, before: true, topics: [.machine], asks: "postgresql.data_dir is empty or holds data of that version",
            hint: "point postgresql.data_dir to the data, or postgresql.bin_dir to the programs of its version"
        ) { postgres in
            guard let directory = postgres.dataDirectory else { return .skipped("postgresql.data_dir is not set") }
            if postgres.dataIsEmpty { return .ok("\(directory) is empty: it will be made or cloned") }
            guard let version = postgres.dataVersion else { return .fail("\(directory) holds no PostgreSQL data") }
            if let program = postgres.programVersion, program != version {
                return .fail("\(directory) is of version \(version), the programs are of version \(program)")
            }
            return .ok("\(directory), version \(version)")
        },
        server(
            "running", .error, topics: [.postgres], asks: "the server runs",
            hint: "see the server's log and `pgbastion health-history`"
        ) { postgres in
            if let pid = postgres.postmasterPID { return .ok("postmaster \(pid)") }
            switch postgres.connection {
            case .connected, .refused: return .ok("it answers at \(postgres.target)")
            case .unreachable(let reason) where postgres.dataDirectory == nil:
                return .fail("no answer at \(postgres.target)", detail: reason)
            case .unreachable, nil:
                return postgres.dataDirectory == nil ? .skipped("no connection was tried") : .fail("the server is not running")
            }
        },
        server(
            "dsn", .error, topics: [.postgres], asks: "postgresql.connect_dsn leads to the server",
            hint: "correct postgresql.connect_dsn: host, port, database, user or password"
        ) { postgres in
            switch postgres.connection {
            case nil: return .skipped("no connection was tried")
            case .connected: return .ok("connected to \(postgres.target)")
            case .unreachable(let reason):
                guard postgres.postmasterPID != nil else { return .skipped("the server is not running") }
                return .fail("the server runs, but nobody answers at \(postgres.target)", detail: reason)
            case .refused(let state, let message):
                if state.hasPrefix("57P") { return .skipped("the server does not accept connections now: \(message)") }
                if isHBA(state, message) { return .ok("\(postgres.target) answers") }
                return .fail("the server refuses \(postgres.target)", detail: "\(message) (SQLSTATE \(state))")
            }
        },
        server(
            "hba", .error, topics: [.postgres], asks: "pg_hba.conf lets the connection of postgresql.connect_dsn in",
            hint: "add a line for it to pg_hba.conf above the one that rejects, then reload the server"
        ) { postgres in
            switch postgres.connection {
            case nil: return .skipped("no connection was tried")
            case .connected: return .ok("accepted")
            case .unreachable: return .skipped("the server did not answer")
            case .refused(let state, let message):
                guard isHBA(state, message) else { return .skipped("the server refused for another reason") }
                return .fail("pg_hba.conf rejects \(postgres.target)", detail: "\(message) (SQLSTATE \(state))")
            }
        },
        server(
            "roles", .error, topics: [.postgres], asks: "the superuser and the replication role exist",
            hint: "they are made when a node becomes primary; see postgresql.superuser and postgresql.replication_user"
        ) { postgres in
            guard let missing = postgres.missingRoles else { return .skipped("the server could not be asked") }
            return missing.isEmpty ? .ok("they exist") : .fail("missing: \(missing.joined(separator: ", "))")
        },
        ofCluster(
            "system_identifier", asks: "the data belongs to this cluster",
            hint: "the data directory is of another cluster: move it aside, then `pgbastion reinit NODE`"
        ) { facts, view in
            guard let expected = view.systemIdentifier else { return .skipped("the cluster has no data yet") }
            guard let own = facts.control?.systemIdentifier ?? facts.server?.systemIdentifier else {
                return .skipped("the data directory cannot be read")
            }
            return own == expected ? .ok("\(own)") : .fail("it is \(own), the cluster's is \(expected)")
        },
        ofCluster(
            "timeline", asks: "the server is on the primary's timeline", hint: "`pgbastion reinit NODE` when it does not follow by itself"
        ) { facts, view in
            guard let primary = view.primary, primary.phase == "serving" else { return .skipped("no primary serves") }
            guard let own = facts.server?.timeline else { return .skipped("the server could not be asked") }
            return own == primary.timeline ? .ok("timeline \(own)") : .fail("it is on timeline \(own), the primary on \(primary.timeline)")
        },
        ofCluster(
            "rewind_possible", severity: .warning, asks: "the data can be rewound: checksums or wal_log_hints",
            hint: "a former primary with more WAL must be cloned anew; enable checksums with pg_checksums, or wal_log_hints"
        ) { facts, _ in
            guard let control = facts.control else { return .skipped("pg_control cannot be read") }
            if control.hasChecksums { return .ok("data checksums") }
            return control.logHints ? .ok("wal_log_hints") : .fail("neither data checksums nor wal_log_hints are on")
        },
        server(
            "wal_settings", .error, topics: [.postgres], asks: "wal_level, max_wal_senders and fsync allow replication without loss",
            hint: "remove them from postgresql.conf and postgresql.auto.conf; pgbastion sets them"
        ) { postgres in
            guard !postgres.settings.isEmpty else { return .skipped("the server could not be asked") }
            let level = postgres.settings["wal_level"] ?? ""
            var wrong: [String] = []
            if level != "replica", level != "logical" { wrong.append("wal_level = \(level)") }
            for name in ["fsync", "full_page_writes"] where postgres.settings[name] == "off" { wrong.append("\(name) = off") }
            if let senders = postgres.settings["max_wal_senders"].flatMap({ Int($0) }), senders < 3 {
                wrong.append("max_wal_senders = \(senders)")
            }
            return wrong.isEmpty ? .ok("wal_level = \(level)") : .fail(wrong.joined(separator: ", "))
        },
        server(
            "supervised_by_guard", .error, topics: [.postgres], asks: "the guard owns the running server",
            hint: "restart the daemon; a server outside the guard is not stopped when the lease ends"
        ) { postgres in
            guard postgres.dataDirectory != nil else { return .skipped("pgbastion does not manage this server") }
            guard let pid = postgres.postmasterPID else { return .skipped("the server is not running") }
            return postgres.guardedPID == pid ? .ok("postmaster \(pid)") : .fail("postmaster \(pid) does not belong to the guard")
        },
    ]

    static let replication: [DiagnosisCheck] = [
        cluster("replication", "streaming", .error, asks: "every replica streams", hint: "see `pgbastion lag` and the replica's log") {
            view in
            let replicas = view.replicas
            guard !replicas.isEmpty else { return .skipped("there is no replica") }
            let idle = replicas.filter { $0.streaming != true }
            return idle.isEmpty
                ? .ok(count(replicas.count, "replica") + " stream")
                : .fail(idle.map { "\($0.name) is \($0.state)" }.joined(separator: ", "))
        },
        cluster("replication", "lag", .warning, asks: "no replica is more than 10 MiB behind", hint: "see `pgbastion lag -o wide`") {
            view in
            let replicas = view.replicas
            guard !replicas.isEmpty else { return .skipped("there is no replica") }
            let behind = replicas.filter { ($0.lagBytes ?? 0) > largestLag }
            if !behind.isEmpty {
                return .fail(
                    behind.map { "\($0.name) is \(SizeValue(bytes: $0.lagBytes ?? 0).description) behind" }.joined(separator: ", "))
            }
            let unknown = replicas.filter { $0.lagBytes == nil }
            guard unknown.isEmpty else { return .skipped("unknown for \(unknown.map { "\($0.name)" }.joined(separator: ", "))") }
            return .ok("at most \(SizeValue(bytes: replicas.compactMap(\.lagBytes).max() ?? 0))")
        },
        cluster(
            "replication", "slots", .warning, asks: "no inactive slot keeps WAL",
            hint: "bring its consumer back, or drop it: `pgbastion slot drop NODE SLOT`"
        ) { view in
            let idle = view.nodes.flatMap { node in
                node.slots.filter {
                    !$0.isActive && ($0.retainedBytes ?? 0) > (64 << 20) || $0.walStatus == "lost" || $0.walStatus == "unreserved"
                }
                .map { slot in
                    "slot \(slot.name) on \(node.name) is \(slot.isActive ? "active" : "inactive") and keeps "
                        + SizeValue(bytes: slot.retainedBytes ?? 0).description + (slot.walStatus.map { " (\($0))" } ?? "")
                }
            }
            guard view.primaryNode?.healthy == true else { return .skipped("the primary could not be asked") }
            return idle.isEmpty
                ? .ok(count(view.nodes.map(\.slots.count).reduce(0, +), "slot")) : .fail(idle[0], detail: idle.joined(separator: "\n"))
        },
        cluster(
            "replication", "synchronous.not_degraded", .warning, named: true, asks: "commits wait for as many replicas as configured",
            hint: "bring replicas back; see `pgbastion lag`"
        ) { view in
            if view.synchronous.mode == "off" { return .ok("synchronous replication is off") }
            return DiagnosisVerdict(
                view.checkNotDegraded(), ok: "\(view.synchronous.mode) \(view.synchronous.required) of \(view.synchronous.members.count)")
        },
        cluster(
            "replication", "no_long_transaction", .warning, named: true, asks: "no transaction on the primary runs longer than 15 s",
            hint: "see pg_stat_activity; a switchover waits for it"
        ) { view in
            guard let seconds = view.primaryNode?.longestTransactionSeconds else { return .skipped("the primary could not be asked") }
            return DiagnosisVerdict(
                view.checkTransactions(limit: DurationValue(.seconds(15))), ok: "the longest runs for \(DecimalText.age(seconds))")
        },
        DiagnosisCheck(
            "replication", "replay_running", .error, needs: .daemon, named: true, topics: [.postgres],
            asks: "replay is not paused on a replica",
            hint: "SELECT pg_wal_replay_resume() on that node"
        ) { subject in
            guard let postgres = subject.diagnosis?.postgres else { return .ok("a witness replays nothing") }
            guard let server = postgres.facts?.server, let name = subject.diagnosis?.node else {
                return .skipped("the server could not be asked")
            }
            guard server.isInRecovery else { return .ok("it is not in recovery") }
            return DiagnosisVerdict(.replayRunning(name, isPaused: server.isReplayPaused), ok: "replay runs")
        },
    ]

    static let vip: [DiagnosisCheck] = [
        address("configured", .info, asks: "a virtual address is configured the same on all nodes") { facts, subject in
            let address = facts.configuration["vip.address"] ?? ""
            let others = subject.known.filter { $0.diagnosis.configuration["vip.address"] != address }.map { "\($0.node)" }
            return others.isEmpty ? .ok(address) : .fail("\(others.joined(separator: ", ")) have another address or none")
        },
        address("interface", .error, before: true, asks: "the interface exists", hint: "correct vip.interface; see `ip link`") { facts, _ in
            guard let exists = facts.vip.interfaceExists else { return .skipped("the interfaces could not be listed") }
            let name = facts.vip.interface ?? ""
            return exists ? .ok(name) : .fail("there is no interface \(name)")
        },
        address(
            "capability", .error, before: true, asks: "the daemon may set addresses (CAP_NET_ADMIN) and announce them (CAP_NET_RAW)",
            hint: "AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in the unit"
        ) { facts, _ in
            guard facts.isDaemon else { return .skipped("the capabilities of the daemon are set by its unit, not by this shell") }
            let missing = ["net_admin", "net_raw"].filter { !facts.machine.capabilities.contains($0) }
            return missing.isEmpty ? .ok("both") : .fail("missing: " + missing.map { "CAP_" + $0.uppercased() }.joined(separator: ", "))
        },
        address("owner", .error, needs: .daemon, asks: "one node holds the address", hint: "see `pgbastion vip`") { _, subject in
            guard let view = subject.view else { return .skipped("no daemon answered") }
            return view.vipOwner.map { .ok("\($0) holds it") } ?? .fail(view.vipReason ?? "nobody holds it")
        },
        address(
            "not_duplicated", .error, needs: .daemon, asks: "no other machine answers for the address",
            hint: "find the machine with that hardware address and take the address away from it"
        ) { facts, _ in
            facts.vip.duplicateHardwareAddress.map { .fail("\($0) answers for it as well") } ?? .skipped("nobody was asked on the network")
        },
    ]

    static let upgrade: [DiagnosisCheck] = [
        cluster(
            "upgrade", "version_skew", .warning, asks: "the versions of the nodes are at most one minor apart",
            hint: "finish the rolling upgrade; see `pgbastion version --cluster`"
        ) { view in
            DiagnosisVerdict(view.checkVersionSkew(), ok: view.versionsText)
        },
        machine(
            "upgrade", "rollback_copy", .info, asks: "the previous binary is kept beside the present one and runs",
            hint: "`make install` and the packages keep it as pgbastion.backup"
        ) { facts in
            let copy = facts.rollbackCopy
            guard copy.exists else { return .fail("there is no \(copy.path)") }
            return copy.version.map { .ok("\(copy.path) is version \($0)") } ?? .fail("\(copy.path) cannot be run")
        },
        DiagnosisCheck(
            "upgrade", "feature_level", .info, needs: .daemon, topics: [.raft], asks: "the cluster uses no feature this node lacks",
            hint: "upgrade this node"
        ) { subject in
            guard let raft = subject.diagnosis?.raft else { return .skipped("the node could not be asked") }
            let text = "level \(raft.featureLevel), this node has \(raft.supportedFeatureLevel)"
            return raft.featureLevel <= raft.supportedFeatureLevel ? .ok(text) : .fail(text)
        },
    ]

    /// The server answered and said that no line of pg_hba.conf lets this connection in.
    private static func isHBA(_ state: String, _ message: String) -> Bool { state == "28000" && message.contains("pg_hba.conf") }

    private static func server(
        _ name: String, _ severity: Severity, before: Bool = false, topics: Set<DiagnosisTopic>, asks: String, hint: String? = nil,
        _ judge: @escaping @Sendable (PostgresDiagnosis) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        configured("postgres", name, severity, before: before, topics: topics, asks: asks, hint: hint) { facts in
            guard facts.kind == .data else { return .skipped("this node is a witness") }
            return facts.postgres.map(judge) ?? .skipped("the server was not looked at")
        }
    }

    private static func ofCluster(
        _ name: String, severity: Severity = .error, asks: String, hint: String,
        _ judge: @escaping @Sendable (PostgresFacts, ClusterView) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        DiagnosisCheck("postgres", name, severity, needs: .daemon, topics: [.postgres], asks: asks, hint: hint) { subject in
            guard subject.diagnosis?.kind == .data else { return .skipped("this node is a witness") }
            guard let facts = subject.diagnosis?.postgres?.facts, let view = subject.view else {
                return .skipped("the server was not looked at")
            }
            return judge(facts, view)
        }
    }

    private static func address(
        _ name: String, _ severity: Severity, needs: Need = .machine, before: Bool = false, asks: String, hint: String? = nil,
        _ judge: @escaping @Sendable (NodeDiagnosis, DiagnosisSubject) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        DiagnosisCheck("vip", name, severity, needs: needs, before: before, topics: [.machine], asks: asks, hint: hint) { subject in
            guard let facts = subject.diagnosis, facts.configuration.isReadable else { return .skipped("the configuration cannot be read") }
            guard facts.configuration["vip.address"] != nil else { return .skipped("no virtual address is configured") }
            return judge(facts, subject)
        }
    }
}
