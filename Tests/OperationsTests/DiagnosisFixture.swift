import ClusterModel
import Operations

/// A cluster and a node on which every check is ok, and one broken fact per check.
enum DiagnosisFixture {
    static let node1 = ExampleCluster.name("node1")
    static let node2 = ExampleCluster.name("node2")
    static let node3 = ExampleCluster.name("node3")

    static var view: ClusterView {
        var view = ExampleCluster.healthy
        view.directives = []
        for index in view.nodes.indices { view.nodes[index].version = "1.0.0" }
        view.version = "1.0.0"
        view.backups = [backup(.backup, hoursAgo: 2), backup(.drill, hoursAgo: 1)]
        return view
    }

    static func backup(_ kind: BackupRecord.Kind, hoursAgo: Int64) -> BackupRecord {
        let now = Int64((Timestamp.seconds(ExampleCluster.healthy.capturedAt) ?? 0) * 1_000)
        var record = BackupRecord(kind: kind, id: "b1", series: "default", at: now - hoursAgo * 3_600_000, node: node1, exitStatus: 0)
        record.isVerified = true
        record.goodCount = 7
        return record
    }

    static func healthy(_ name: NodeName = node1) -> NodeDiagnosis { ExampleDiagnosis.healthy(name) }
}

/// What is broken for one check.
struct BrokenFact: Sendable {
    var id: String
    var facts: @Sendable (inout NodeDiagnosis) -> Void = { _ in }
    var view: @Sendable (inout ClusterView) -> Void = { _ in }
    /// Facts of the second node.
    var other: @Sendable (inout NodeDiagnosis) -> Void = { _ in }
}

extension BrokenFact {
    static func facts(_ id: String, _ change: @escaping @Sendable (inout NodeDiagnosis) -> Void) -> BrokenFact {
        BrokenFact(id: id, facts: change)
    }
    static func view(_ id: String, _ change: @escaping @Sendable (inout ClusterView) -> Void) -> BrokenFact {
        BrokenFact(id: id, view: change)
    }
    static func other(_ id: String, _ change: @escaping @Sendable (inout NodeDiagnosis) -> Void) -> BrokenFact {
        BrokenFact(id: id, other: change)
    }

    /// One for every check that can fail.
    static let all: [BrokenFact] = [
        .facts("local.user") { $0.machine.serviceUser = "bob" },
        .facts("local.data_dir_owner") { $0.machine.directories[0].owner = "root" },
        .facts("local.data_dir_mode") { $0.machine.directories[0].mode = 0o755 },
        .facts("local.disk_space") { $0.machine.directories[1].freeBytes = 100 << 20 },
        .facts("local.clock_synchronised") { $0.machine.clockSynchronised = false },
        .facts("local.file_limit") { $0.machine.fileLimit = 1024 },
        .facts("local.capabilities") { $0.machine.capabilities = ["net_admin", "net_raw"] },
        .facts("config.valid") { $0.configuration.errors = ["f:1:1: error: unknown key \"a\""] },
        .facts("config.port_conflicts") { $0.configuration.errors = ["f:1:1: error: port 1 is used by both a and b"] },
        .facts("config.deprecated_keys") { $0.configuration.warnings = ["f:1:1: warning: \"memberlist.bind_port\" has no effect"] },
        .facts("config.bootstrap_flag") { $0.configuration.values[0].value = "true" },
        .other("config.drift") { $0.configuration.values[4].value = "5s" },
        .facts("ports.free") { $0.ports[0].state = .taken },
        .facts("network.peer_port_out") { $0.peers[0].error = "connection refused" },
        .other("network.peer_port_in") { $0.peers[0].error = "timed out" },
        .facts("network.proxy_ports") { $0.ports[1].state = .free },
        .facts("network.clock_offset") { $0.peers[1].clockOffsetSeconds = 3600 },
        .view("raft.leader") { $0.raft.leader = nil },
        .view("raft.quorum") { $0.raft.hasQuorum = false },
        .view("raft.failures_tolerated") { $0.raft.failuresTolerated = 0 },
        .view("raft.log_position") { $0.peers[2].matchIndex = 40_000 },
        .other("raft.cluster_id") { $0.raft?.clusterID = "ffffffff" },
        .facts("raft.disk_latency") { $0.raft?.diskLatencySeconds = 0.2 },
        .view("raft.directives_stuck") {
            $0.directives = [
                DirectiveView(
                    id: "d-1", type: "clone", targetNode: DiagnosisFixture.node3, status: "pending", createdAt: "2026-02-17T01:00:00Z",
                    term: 7)
            ]
        },
        .view("cluster.healthy") { $0.nodes[2].healthy = false },
        .view("cluster.has_quorum") { $0.raft.leader = nil },
        .view("one_primary") { $0.primary = nil },
        .view("cluster.no_split_brain") { $0.splitBrain = true },
        .view("not_paused") { $0.paused = PauseView(reason: "work", by: "me", since: "2026-02-17T01:00:00Z", forSeconds: nil) },
        .view("no_operation_in_progress") { $0.operation = OperationView(id: "op-1", kind: "failover", phase: "fence", startedAt: "") },
        .other("digest.agrees") { $0.raft?.stateDigest = "cd" },
        .facts("postgres.bin_dir") { $0.postgres?.missingPrograms = ["pg_rewind"] },
        .facts("postgres.data_dir") { $0.postgres?.dataVersion = 15 },
        .facts("postgres.running") {
            $0.postgres?.postmasterPID = nil
            $0.postgres?.connection = .unreachable("no such file")
        },
        .facts("postgres.dsn") { $0.postgres?.connection = .unreachable("connection refused") },
        .facts("postgres.hba") { $0.postgres?.connection = .refused(state: "28000", message: "no pg_hba.conf entry for host") },
        .facts("postgres.roles") { $0.postgres?.missingRoles = ["replicator"] },
        .facts("postgres.system_identifier") { $0.postgres?.facts?.control?.systemIdentifier = 1 },
        .facts("postgres.timeline") { $0.postgres?.facts?.server?.timeline = TimelineID(4) },
        .facts("postgres.rewind_possible") { $0.postgres?.facts?.control?.hasChecksums = false },
        .facts("postgres.wal_settings") { $0.postgres?.settings["wal_level"] = "minimal" },
        .facts("postgres.supervised_by_guard") { $0.postgres?.guardedPID = nil },
        .view("replication.streaming") { $0.nodes[1].streaming = false },
        .view("replication.lag") { $0.nodes[1].lagBytes = 50 << 20 },
        .view("replication.slots") {
            $0.nodes[0].slots[0].isActive = false
            $0.nodes[0].slots[0].retainedBytes = 1 << 30
        },
        .view("synchronous.not_degraded") { $0.synchronous.degraded = true },
        .view("no_long_transaction") { $0.nodes[0].longestTransactionSeconds = 60 },
        .facts("replay_running") { $0.postgres?.facts?.server?.isReplayPaused = true },
        .other("vip.configured") { $0.configuration.values[5].value = "10.0.1.200/24" },
        .facts("vip.interface") { $0.vip.interfaceExists = false },
        .facts("vip.capability") { $0.machine.capabilities = [] },
        .view("vip.owner") { $0.vipOwner = nil },
        .facts("vip.not_duplicated") { $0.vip.duplicateHardwareAddress = "02:00:00:00:00:01" },
        .facts("backup.writable") { $0.backup.isWritable = false },
        .view("backup.fresh") { $0.backups[0] = DiagnosisFixture.backup(.backup, hoursAgo: 27) },
        .view("backup.verified") { $0.backups[0].isVerified = false },
        .view("backup.drilled") { $0.backups.removeLast() },
        .view("backup.retention") { $0.backups[0].goodCount = 1 },
        .facts("security.auth_token") { $0.configuration.hasToken = false },
        .facts("security.token_file_mode") { $0.configuration.tokenFileMode = 0o644 },
        .facts("security.config_mode") { $0.configuration.mode = 0o644 },
        .facts("security.bind_address") { $0.configuration.values[2].value = "0.0.0.0" },
        .facts("security.peer_tls") { $0.configuration.values[1].value = "false" },
        .facts("security.certificate_expiry") { $0.certificates[0].secondsLeft = 86400 },
        .facts("systemd.unit_type") { $0.systemd.service["Type"] = "simple" },
        .facts("systemd.kill_mode") { $0.systemd.service["KillMode"] = nil },
        .facts("systemd.watchdog") { $0.systemd.service["WatchdogSec"] = nil },
        .facts("systemd.distribution_unit_disabled") { $0.systemd.distributionUnits = ["postgresql.service"] },
        .facts("systemd.needrestart") { $0.systemd.hasNeedrestart = true },
        .view("upgrade.version_skew") { $0.nodes[2].version = "1.2.0" },
        .facts("upgrade.rollback_copy") { $0.rollbackCopy.exists = false },
        .facts("upgrade.feature_level") { $0.raft?.featureLevel = 2 },
    ]
}
