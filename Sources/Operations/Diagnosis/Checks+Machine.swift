import ClusterModel

/// Categories `local`, `config`, `backup`, `security` and `systemd`: this machine and its configuration file.
extension DiagnosisCheck {
    /// Limit: below this share or this many bytes a disk counts as full soon.
    private static let leastFreeShare = 0.05
    private static let leastFreeBytes: UInt64 = 1 << 30
    /// PX7: 10,000 sessions need two descriptors each.
    private static let leastFileLimit: UInt64 = 20_480

    static let local: [DiagnosisCheck] = [
        machine(
            "local", "user", .error, before: true, asks: "the daemon's user is not root and owns the data directory",
            hint: "run the daemon as the owner of postgresql.data_dir, as the shipped unit does"
        ) { facts in
            let machine = facts.machine
            if facts.isDaemon, machine.isRoot, facts.kind == .data { return .fail("the daemon runs as root") }
            guard let owner = machine.serviceUser else { return .skipped("there is no data directory with an owner yet") }
            if owner == "root" { return .fail("the data directory belongs to root") }
            if facts.isDaemon, owner != machine.user {
                return .fail("the daemon runs as \(machine.user), the data directory belongs to \(owner)")
            }
            return .ok("the service user is \(owner)")
        },
        machine(
            "local", "data_dir_owner", .error, before: true, asks: "raft.data_dir belongs to the service user",
            hint: "chown -R the directory to the service user"
        ) { facts in
            guard let raft = facts.directory("raft") else { return .skipped("the configuration cannot be read") }
            guard raft.exists, let owner = raft.owner else { return .skipped("\(raft.path) does not exist yet; the daemon makes it") }
            guard let user = facts.machine.serviceUser ?? (facts.isDaemon ? facts.machine.user : nil) else {
                return .skipped("the service user is not known")
            }
            return owner == user ? .ok("\(raft.path) belongs to \(owner)") : .fail("\(raft.path) belongs to \(owner), not to \(user)")
        },
        machine(
            "local", "data_dir_mode", .error, before: true, asks: "raft.data_dir can be entered by its owner only (0700)",
            hint: "chmod 0700 the directory"
        ) { facts in
            guard let raft = facts.directory("raft") else { return .skipped("the configuration cannot be read") }
            guard raft.exists, let mode = raft.mode else { return .skipped("\(raft.path) does not exist yet; the daemon makes it") }
            return mode & 0o077 == 0 ? .ok("\(raft.path) has mode \(octal(mode))") : .fail("\(raft.path) has mode \(octal(mode))")
        },
        machine(
            "local", "disk_space", .error, before: true, asks: "at least 5 % and 1 GiB are free where state and data are",
            hint: "free some space; a full disk stops PostgreSQL and the log of the cluster"
        ) { facts in
            let measured = facts.machine.directories.filter { $0.freeBytes != nil && ($0.totalBytes ?? 0) > 0 }
            guard !measured.isEmpty else { return .skipped("no directory could be measured") }
            let low = measured.filter { directory in
                let (free, total) = (directory.freeBytes ?? 0, directory.totalBytes ?? 1)
                return free < leastFreeBytes || Double(free) < Double(total) * leastFreeShare
            }
            let shown = (low.isEmpty ? measured : low).map { "\($0.path): \(SizeValue(bytes: $0.freeBytes ?? 0).description) free" }
            return low.isEmpty ? .ok(shown.joined(separator: ", ")) : .fail(shown.joined(separator: ", "))
        },
        machine(
            "local", "clock_synchronised", .info, before: true, asks: "the kernel says that the clock is synchronised",
            hint: "install chrony or systemd-timesyncd; times in logs and backups are read by people"
        ) { facts in
            switch facts.machine.clockSynchronised {
            case true: .ok("the clock is synchronised")
            case false: .fail("the clock is not synchronised; no safety depends on it")
            case nil: .skipped("the kernel does not say")
            }
        },
        machine(
            "local", "file_limit", .warning, before: true, asks: "the limit of open files allows 10,000 sessions",
            hint: "set LimitNOFILE=65536 in the unit"
        ) { facts in
            let limit = facts.machine.fileLimit
            guard facts.isDaemon else { return .skipped("the limit of the daemon is set by its unit, not by this shell") }
            return limit >= leastFileLimit ? .ok("\(limit) open files") : .fail("\(limit) open files, \(leastFileLimit) are needed")
        },
        machine(
            "local", "capabilities", .warning, before: true, asks: "the daemon may lock memory and run in real time",
            hint: "the shipped unit gives CAP_IPC_LOCK and CAP_SYS_NICE; without them the guard can be late under load"
        ) { facts in
            guard facts.isDaemon else { return .skipped("the capabilities of the daemon are set by its unit, not by this shell") }
            let missing = ["ipc_lock", "sys_nice"].filter { !facts.machine.capabilities.contains($0) }
            return missing.isEmpty
                ? .ok("ipc_lock and sys_nice") : .fail("missing: " + missing.map { "CAP_" + $0.uppercased() }.joined(separator: ", "))
        },
    ]

    static let config: [DiagnosisCheck] = [
        machine(
            "config", "valid", .error, before: true, asks: "the configuration file can be used",
            hint: "run `pgbastion config validate`"
        ) { facts in
            let configuration = facts.configuration
            guard configuration.isReadable else { return .skipped("\(configuration.path) cannot be read by \(facts.machine.user)") }
            let errors = configuration.errors
            return errors.isEmpty
                ? .ok("\(configuration.path) is valid")
                : .fail("\(configuration.path) has \(count(errors.count, "error"))", detail: errors.joined(separator: "\n"))
        },
        configured("config", "port_conflicts", .error, before: true, asks: "no two listeners want the same port") { facts in
            let conflicts = facts.configuration.errors.filter { $0.contains("is used by both") }
            return conflicts.isEmpty
                ? .ok("every listener has its own port") : .fail("ports collide", detail: conflicts.joined(separator: "\n"))
        },
        configured(
            "config", "deprecated_keys", .warning, before: true, asks: "no key without effect is given",
            hint: "remove the keys, or use what the warnings name"
        ) { facts in
            let old = facts.configuration.warnings.filter { $0.contains("has no effect") }
            return old.isEmpty
                ? .ok("every key has an effect")
                : .fail("\(count(old.count, "key")) without effect", detail: old.joined(separator: "\n"))
        },
        configured(
            "config", "bootstrap_flag", .info, before: true, asks: "raft.bootstrap is not left true on a node that has state",
            hint: "set raft.bootstrap: false; it has no effect with state present (GD9)"
        ) { facts in
            guard facts.configuration["raft.bootstrap"] == "true" else { return .ok("raft.bootstrap is false") }
            return facts.configuration.hasRaftState
                ? .fail("raft.bootstrap is true although there is Raft state") : .ok("this node founds the cluster")
        },
        DiagnosisCheck(
            "config", "drift", .warning, needs: .daemon,
            asks: "the nodes agree on what concerns the whole cluster, and the file is applied",
            hint: "make the files agree, then `pgbastion config reload --all`; see `pgbastion config diff`"
        ) { subject in
            guard let own = subject.diagnosis else { return .skipped("the node could not be asked") }
            let differences = ConfigurationDifference.find(in: subject.known.map { ($0.node, $0.diagnosis.configuration) })
                .filter { $0.clusterWide && !$0.agrees }
            var problems = differences.map(\.text)
            if !own.configuration.notApplied.isEmpty {
                problems.append("not applied yet: \(own.configuration.notApplied.joined(separator: ", "))")
            }
            guard problems.isEmpty else { return .fail(problems[0], detail: problems.joined(separator: "\n")) }
            guard subject.silent.isEmpty else { return .skipped(subject.silent.joined(separator: "; ")) }
            return .ok("no drift among \(count(subject.known.count, "node"))")
        },
        machine("config", "runbooks_valid", .warning, asks: "every runbook passes `runbook lint`") { _ in
            .skipped("this version runs no runbooks")
        },
    ]

    static let backup: [DiagnosisCheck] = [
        configured(
            "backup", "writable", .warning, before: true, asks: "backup.dir exists and can be written",
            hint: "make the directory and give it to the service user"
        ) { facts in
            let backup = facts.backup
            guard backup.exists else { return .fail("\(backup.directory) does not exist") }
            return backup.isWritable
                ? .ok("\(backup.directory) can be written") : .fail("\(backup.directory) cannot be written by \(facts.machine.user)")
        },
        catalogued(
            "fresh", .error, asks: "the newest good backup is younger than backup.max_age",
            hint: "run `pgbastion backup`, and `systemctl enable --now pgbastion-backup.timer`"
        ) { standing, facts in
            guard let age = standing.age(standing.last), let last = standing.last else {
                return .fail("the catalogue of the cluster knows no backup")
            }
            let text = "backup \(last.id) on \(last.node) is \(DecimalText.age(age)) old"
            let limit = facts.maxAgeSeconds ?? 26 * 3600
            return age <= limit ? .ok(text) : .fail("\(text), more than \(DecimalText.age(limit))")
        },
        catalogued(
            "verified", .error, asks: "the newest backup was verified, and the last run did not fail",
            hint: "run `pgbastion backup`; see `pgbastion backup verify --all`"
        ) { standing, _ in
            guard let last = standing.last else { return .fail("the catalogue of the cluster knows no backup") }
            guard last.isVerified else { return .fail("backup \(last.id) is not verified") }
            let failed = standing.attempts.filter { !$0.record.isSuccess }
            guard let failure = failed.first else { return .ok("backup \(last.id) was verified when it was made") }
            return .fail("the last backup of series \(failure.series) on \(failure.record.node) ended with \(failure.record.exitStatus)")
        },
        catalogued(
            "drilled", .warning, asks: "a restore was tried within backup.drill_max_age", hint: "run `pgbastion backup drill`"
        ) { standing, facts in
            guard let age = standing.age(standing.lastDrill), let drill = standing.lastDrill else {
                return .fail("no restore was ever tried")
            }
            let text = "a restore of \(drill.id) was tried \(DecimalText.age(age)) ago"
            return age <= facts.drillMaxAgeSeconds ?? 100 * 86_400 ? .ok(text) : .fail(text)
        },
        catalogued(
            "retention", .warning, asks: "retention keeps at least backup.retention.min_redundancy good backups",
            hint: "see `pgbastion backup prune --dry-run`"
        ) { standing, facts in
            guard let last = standing.last else { return .fail("the catalogue of the cluster knows no backup") }
            let wanted = max(1, facts.minRedundancy ?? 3)
            let text = "\(last.goodCount) good backups of series \(last.series)"
            return last.goodCount >= wanted ? .ok(text) : .fail("\(text), wanted are \(wanted)")
        },
    ]

    /// Judged by the catalogue of the cluster and this node's limits.
    private static func catalogued(
        _ name: String, _ severity: Severity, asks: String, hint: String,
        _ judge: @escaping @Sendable (BackupStanding, BackupFacts) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        DiagnosisCheck("backup", name, severity, topics: [.machine], asks: asks, hint: hint) { subject in
            guard let view = subject.view else {
                return .skipped("the catalogue of backups is in the cluster state, and no daemon runs here")
            }
            guard let facts = subject.diagnosis?.backup else { return .skipped("the node could not be asked") }
            return judge(BackupStanding(view), facts)
        }
    }

    static let systemd: [DiagnosisCheck] = [
        unit("unit_type", .warning, asks: "the unit has Type=notify, so that `systemctl start` returns when ready") { service in
            let type = service["Type"] ?? "simple"
            return type.hasPrefix("notify")
                ? .ok("Type=\(type)") : .fail("the unit has Type=\(type)", hint: "use the shipped unit: Type=notify")
        },
        unit("kill_mode", .error, asks: "stopping the daemon leaves PostgreSQL running (KillMode=process)") { service in
            let mode = service["KillMode"] ?? "control-group"
            return mode == "process"
                ? .ok("KillMode=process")
                : .fail(
                    "the unit has KillMode=\(mode): systemd would kill PostgreSQL with the daemon",
                    hint: "use the shipped unit: KillMode=process")
        },
        unit("watchdog", .info, asks: "systemd restarts a daemon that hangs (WatchdogSec)") { service in
            guard let seconds = service["WatchdogSec"], seconds != "0" else { return .fail("the unit has no WatchdogSec") }
            return .ok("WatchdogSec=\(seconds)")
        },
        machine(
            "systemd", "distribution_unit_disabled", .error, before: true,
            asks: "the distribution's unit does not start this data directory's server as well",
            hint: "write `manual` into start.conf, then systemctl daemon-reload (stopping the unit would stop an adopted server)"
        ) { facts in
            guard facts.systemd.isPresent else { return .skipped("systemd does not run here") }
            let units = facts.systemd.distributionUnits
            return units.isEmpty
                ? .ok("no unit of the distribution starts it")
                : .fail("\(units.joined(separator: ", ")) would start the server outside pgbastion")
        },
        machine(
            "systemd", "needrestart", .info, asks: "needrestart leaves pgbastion and PostgreSQL alone",
            hint: "install the shipped /etc/needrestart/conf.d/pgbastion.conf"
        ) { facts in
            guard facts.systemd.hasNeedrestart else { return .ok("needrestart is not installed") }
            return facts.systemd.needrestartSpares
                ? .ok("needrestart leaves them alone") : .fail("needrestart may restart pgbastion or PostgreSQL after a package upgrade")
        },
    ]

    static let security: [DiagnosisCheck] = [
        configured(
            "security", "auth_token", .warning, before: true, asks: "changes over HTTP need a token",
            hint: "set api.auth_token_file"
        ) { facts in
            facts.configuration.hasToken ? .ok("changes need a token") : .fail("everybody on this machine may change the cluster over HTTP")
        },
        configured(
            "security", "token_file_mode", .error, before: true, asks: "others cannot read the token file",
            hint: "chmod 0640 the file, or 0600"
        ) { facts in
            guard let file = facts.configuration.tokenFile else { return .ok("there is no token file") }
            guard let mode = facts.configuration.tokenFileMode else { return .skipped("\(file) cannot be looked at") }
            return mode & 0o007 == 0 ? .ok("\(file) has mode \(octal(mode))") : .fail("\(file) has mode \(octal(mode))")
        },
        machine(
            "security", "config_mode", .warning, before: true, asks: "others cannot read the configuration file",
            hint: "chmod 0640 the file"
        ) { facts in
            guard let mode = facts.configuration.mode else { return .skipped("\(facts.configuration.path) cannot be looked at") }
            return mode & 0o007 == 0
                ? .ok("\(facts.configuration.path) has mode \(octal(mode))") : .fail("\(facts.configuration.path) has mode \(octal(mode))")
        },
        configured(
            "security", "bind_address", .warning, before: true, asks: "an API beyond loopback uses TLS",
            hint: "set api.tls_cert and api.tls_key, or bind to 127.0.0.1"
        ) { facts in
            let addresses = facts.configuration["api.bind_address"] ?? ""
            let outside = list(addresses).filter { !isLoopback($0) }
            if outside.isEmpty { return .ok("the API listens on loopback") }
            return facts.configuration["api.tls_cert"] != nil
                ? .ok("TLS on \(outside.joined(separator: ", "))")
                : .fail("the API listens on \(outside.joined(separator: ", ")) without TLS")
        },
        configured(
            "security", "peer_tls", .warning, asks: "nodes on different machines talk over TLS",
            hint: "set raft.tls_enabled with certificate, key and authority"
        ) { facts in
            if facts.configuration["raft.tls_enabled"] == "true" { return .ok("peers verify each other") }
            return isLoopback(facts.configuration["node.address"] ?? "")
                ? .ok("the node's address is loopback") : .fail("Raft messages between the nodes are not encrypted")
        },
        configured(
            "security", "certificate_expiry", .warning, asks: "no certificate ends within 30 days",
            hint: "renew it, then `pgbastion config reload`"
        ) { facts in
            guard !facts.certificates.isEmpty else { return .ok("no certificates are configured") }
            let unreadable = facts.certificates.filter { $0.secondsLeft == nil }
            let ending = facts.certificates.filter { ($0.secondsLeft ?? .max) < 30 * 86400 }
            if !ending.isEmpty {
                return .fail(
                    ending.map { certificate in
                        let days = (certificate.secondsLeft ?? 0) / 86400
                        return "\(certificate.path) " + (days < 0 ? "has ended" : "ends in \(count(Int(days), "day"))")
                    }.joined(separator: ", "))
            }
            guard unreadable.isEmpty else { return .skipped("\(unreadable.map(\.path).joined(separator: ", ")) cannot be read") }
            return .ok(count(facts.certificates.count, "certificate") + " good for 30 days or more")
        },
    ]
}

extension DiagnosisCheck {
    /// A check of one machine, judged on its facts alone.
    static func machine(
        _ category: String, _ name: String, _ severity: Severity, before: Bool = false, topics: Set<DiagnosisTopic> = [.machine],
        asks: String, hint: String? = nil, _ judge: @escaping @Sendable (NodeDiagnosis) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        DiagnosisCheck(category, name, severity, before: before, topics: topics, asks: asks, hint: hint) { subject in
            subject.diagnosis.map(judge) ?? .skipped("the node could not be asked")
        }
    }

    /// The same, skipped when the configuration file cannot be read.
    static func configured(
        _ category: String, _ name: String, _ severity: Severity, before: Bool = false,
        topics: Set<DiagnosisTopic> = [.machine], asks: String, hint: String? = nil,
        _ judge: @escaping @Sendable (NodeDiagnosis) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        machine(category, name, severity, before: before, topics: topics, asks: asks, hint: hint) { facts in
            let configuration = facts.configuration
            guard configuration.isReadable else { return .skipped("\(configuration.path) cannot be read by \(facts.machine.user)") }
            guard !configuration.values.isEmpty || category == "config" else { return .skipped("the configuration is not valid") }
            return judge(facts)
        }
    }

    private static func unit(
        _ name: String, _ severity: Severity, asks: String, _ judge: @escaping @Sendable ([String: String]) -> DiagnosisVerdict
    ) -> DiagnosisCheck {
        machine("systemd", name, severity, asks: asks) { facts in
            guard facts.systemd.isPresent else { return .skipped("systemd does not run here") }
            guard facts.systemd.unitFile != nil else { return .skipped("there is no unit pgbastion.service") }
            return judge(facts.systemd.service)
        }
    }

    static func octal(_ mode: Int) -> String {
        let text = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// `[a, b]` or `a`, as the configuration prints lists.
    static func list(_ text: String) -> [String] {
        text.split { "[], ".contains($0) }.map(String.init)
    }

    static func isLoopback(_ address: String) -> Bool {
        address.hasPrefix("127.") || address == "::1" || address == "localhost"
    }
}

extension NodeDiagnosis {
    func directory(_ purpose: String) -> MachineFacts.Directory? { machine.directories.first { $0.purpose == purpose } }
}
