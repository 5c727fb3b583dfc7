import ClusterModel

/// The checks of `upgrade-check` that `doctor` does not have: they are about the version that is to come.
enum UpgradeChecks {
    /// Of `doctor`, in the order they are shown: the state of the cluster.
    static let ofDoctor = [
        "upgrade.version_skew", "config.valid", "config.deprecated_keys", "raft.directives_stuck", "no_operation_in_progress",
        "cluster.healthy", "one_primary", "raft.quorum", "raft.failures_tolerated", "replication.streaming", "replication.lag",
        "backup.fresh", "backup.verified", "local.disk_space", "upgrade.rollback_copy",
    ]

    /// The checks about `target`; nil: only the state of the cluster is judged.
    static func ofTarget(_ target: ReleaseFacts, from present: String, downgrade: Bool, report: BinaryReport?) -> [DiagnosisCheck] {
        [
            step(target, from: present, downgrade: downgrade),
            DiagnosisCheck(
                "upgrade", "release_notes", .info, needs: .cluster, asks: "breaking changes of the target are none, or known",
                hint: "read the changelog of the version"
            ) { _ in
                let changes = target.breakingChanges
                return changes.isEmpty
                    ? .ok(target.notes.isEmpty ? "no notes are built in for \(target.version)" : target.notes.joined(separator: "; "))
                    : .fail("\(target.version) has breaking changes", detail: changes.joined(separator: "\n"))
            },
            DiagnosisCheck(
                "upgrade", "config_version", .error, needs: .cluster, asks: "the target reads the configuration",
                hint: "change the file for that version first"
            ) { _ in
                if let errors = report?.configErrors, !errors.isEmpty {
                    return .fail("\(target.version) refuses this node's configuration", detail: errors.joined(separator: "\n"))
                }
                let own = BuildInformation.configurationVersion
                guard target.configVersion >= own else {
                    return .fail("\(target.version) reads configuration version \(target.configVersion), this is \(own)")
                }
                return .ok("configuration version \(own)")
            },
            DiagnosisCheck(
                "upgrade", "state_schema", .error, needs: .cluster, asks: "the target reads the state that is there",
                hint: "do not start that version on this state: it would refuse, and no backup made here fits it"
            ) { _ in
                let written = BuildInformation.stateSchema.write
                let range = target.stateSchema
                guard range.readMin...range.readMax ~= written else {
                    return .fail("\(target.version) reads state schema \(range.readMin) to \(range.readMax), the state has \(written)")
                }
                return .ok("state schema \(written)")
            },
            DiagnosisCheck(
                "upgrade", "protocol", .error, needs: .cluster, asks: "the target and the present nodes speak to each other",
                hint: "upgrade in smaller steps"
            ) { _ in
                let (own, other) = (BuildInformation.protocolRange, target.protocolRange)
                guard max(own.min, other.min) <= min(own.max, other.max) else {
                    return .fail("\(target.version) speaks protocol \(other.min) to \(other.max), these nodes \(own.min) to \(own.max)")
                }
                return .ok("protocol \(min(own.max, other.max))")
            },
            DiagnosisCheck(
                "upgrade", "postgres_version", .error, needs: .cluster, asks: "the target supports the PostgreSQL of every node",
                hint: "upgrade PostgreSQL first"
            ) { subject in
                let nodes = subject.view?.nodes.filter { $0.kind == .data } ?? []
                let known = nodes.compactMap { node in node.postgresVersion.map { (node.name, $0 / 10000) } }
                let wrong = known.filter { !(target.postgres.oldest...target.postgres.newest ~= $0.1) }
                guard wrong.isEmpty else { return .fail(wrong.map { "\($0.0) has PostgreSQL \($0.1)" }.joined(separator: ", ")) }
                guard known.count == nodes.count, !known.isEmpty else { return .skipped("not every node told its version") }
                return .ok("PostgreSQL " + Set(known.map(\.1)).sorted().map { "\($0)" }.joined(separator: ", "))
            },
        ]
    }

    /// Nothing waits or runs: an upgrade restarts the daemons that carry it out.
    static let directives = DiagnosisCheck(
        "upgrade", "no_pending_directives", .error, needs: .cluster, asks: "no directive is pending", hint: "see `pgbastion directive list`"
    ) { subject in
        let open = subject.view?.directives.filter { ["pending", "running", "started"].contains($0.status) } ?? []
        return open.isEmpty ? .ok("none") : .fail(open.map { "\($0.id) (\($0.type)) on \($0.targetNode)" }.joined(separator: ", "))
    }

    static let peers = DiagnosisCheck(
        "upgrade", "peers_reachable", .error, needs: .cluster, asks: "every member answers", hint: "run `pgbastion doctor network`"
    ) { subject in
        let peers = subject.view?.peers ?? []
        let silent = Set(
            peers.filter { !$0.reachable }.map { "\($0.name)" }
                + subject.answers.compactMap { answer in
                    if case .failure = answer.answer { "\(answer.node)" } else { nil }
                })
        guard !peers.isEmpty else { return .skipped("this node knows no members yet") }
        return silent.isEmpty ? .ok("\(peers.count) members") : .fail("\(silent.sorted().joined(separator: ", ")) did not answer")
    }

    /// P28: one minor at a time within a major, in either direction; back only when asked for.
    private static func step(_ target: ReleaseFacts, from present: String, downgrade: Bool) -> DiagnosisCheck {
        DiagnosisCheck(
            "upgrade", "step", .error, needs: .cluster, asks: "the target is at most one minor version away",
            hint: downgrade ? nil : "go through the versions between, or use a blue-green upgrade for a major one"
        ) { _ in
            guard let new = SemanticVersion(target.version), let old = SemanticVersion(present) else {
                return .skipped("\"\(target.version)\" or \"\(present)\" is not MAJOR.MINOR.PATCH")
            }
            if new == old { return .ok("\(present) is installed already") }
            guard new.major == old.major else { return .fail("\(old) to \(new) is a change of the major version") }
            if new < old, !downgrade { return .fail("\(new) is older than \(old)", hint: "add --downgrade") }
            if new > old, downgrade { return .fail("\(new) is newer than \(old)", hint: "leave --downgrade out") }
            guard abs(new.minor - old.minor) <= 1 else { return .fail("\(old) to \(new) is more than one minor version") }
            return .ok("\(old) to \(new)")
        }
    }
}
