import ClusterModel

/// What a node of the example cluster finds out about itself: every check of `doctor` that can be decided is ok.
package enum ExampleDiagnosis {
    private static let names = ["node1", "node2", "node3"].map(ExampleCluster.name)

    package static func healthy(_ name: NodeName) -> NodeDiagnosis {
        var facts = NodeDiagnosis()
        facts.node = name
        facts.isDaemon = true
        facts.version = "1.2.0"
        facts.machine = machine
        facts.configuration = configuration
        facts.ports = [
            PortFacts(key: "raft.bind_port", host: "10.0.1.1", port: 8300, state: .listening),
            PortFacts(key: "proxy.primary_port", host: "10.0.1.1", port: 5432, state: .listening),
            PortFacts(key: "proxy.replica_port", host: "10.0.1.1", port: 5433, state: .listening),
        ]
        facts.systemd.isPresent = true
        facts.systemd.unitFile = "/lib/systemd/system/pgbastion.service"
        facts.systemd.service = ["Type": "notify", "KillMode": "process", "WatchdogSec": "10"]
        facts.backup.directory = "/backup/pgbastion"
        facts.backup.exists = true
        facts.backup.isWritable = true
        facts.rollbackCopy.path = "/usr/local/bin/pgbastion.backup"
        facts.rollbackCopy.exists = true
        facts.rollbackCopy.version = "1.1.0"
        facts.vip.interface = "eth0"
        facts.vip.interfaceExists = true
        facts.postgres = postgres
        facts.raft = raft
        facts.peers = names.filter { $0 != name }.map { other in
            var dial = PeerDial(name: other, address: "\(other):8300")
            dial.seconds = 0.001
            dial.clockOffsetSeconds = 0.01
            dial.version = "1.2.0"
            return dial
        }
        var certificate = CertificateFacts(key: "api.tls_cert", path: "/etc/pgbastion/api.crt")
        certificate.secondsLeft = 90 * 86400
        facts.certificates = [certificate]
        return facts
    }

    private static var machine: MachineFacts {
        var machine = MachineFacts()
        machine.user = "postgres"
        machine.serviceUser = "postgres"
        machine.clockSynchronised = true
        machine.fileLimit = 65_536
        machine.capabilities = ["net_admin", "net_raw", "ipc_lock", "sys_nice"]
        machine.directories = ["raft", "data"].map { purpose in
            var directory = MachineFacts.Directory(purpose: purpose, path: "/var/lib/\(purpose)")
            directory.exists = true
            directory.owner = "postgres"
            directory.isOwn = true
            directory.mode = 0o700
            directory.freeBytes = 50 << 30
            directory.totalBytes = 100 << 30
            return directory
        }
        return machine
    }

    private static var configuration: ConfigurationFacts {
        var facts = ConfigurationFacts()
        facts.path = "/etc/pgbastion/pgbastion.yaml"
        facts.isReadable = true
        facts.mode = 0o640
        facts.hasToken = true
        facts.tokenFile = "/etc/pgbastion/api-token"
        facts.tokenFileMode = 0o600
        facts.hasRaftState = true
        facts.values = [
            ("raft.bootstrap", "false"), ("raft.tls_enabled", "true"), ("api.bind_address", "127.0.0.1"), ("node.address", "10.0.1.1"),
            ("failover.primary_lease", "3s"), ("vip.address", "10.0.1.100/24"), ("vip.interface", "eth0"), ("postgresql.port", "5434"),
        ].map { ConfigurationValue(key: $0.0, value: $0.1) }
        facts.clusterWide = facts.values.filter { ["failover.primary_lease", "vip.address"].contains($0.key) }
        return facts
    }

    private static var postgres: PostgresDiagnosis {
        var postgres = PostgresDiagnosis()
        postgres.binDirectory = "/usr/lib/postgresql/16/bin"
        postgres.programVersion = 16
        postgres.dataDirectory = "/var/lib/data"
        postgres.dataVersion = 16
        postgres.postmasterPID = 4711
        postgres.guardedPID = 4711
        postgres.connection = .connected
        postgres.target = "host=/run/postgresql dbname=postgres"
        postgres.settings = ["wal_level": "replica", "fsync": "on", "full_page_writes": "on", "max_wal_senders": "16"]
        postgres.missingRoles = []
        var facts = PostgresFacts(dataDirectory: .present)
        facts.control = ControlFile(
            systemIdentifier: 7_301_234_567_890_123_456, state: .inProduction, timeline: TimelineID(5), checkpointLSN: LSN(0x5000000),
            redoLSN: LSN(0x5000000), minimumRecoveryLSN: LSN(0), minimumRecoveryTimeline: TimelineID(5), hasChecksums: true, logHints: false
        )
        facts.server = ServerFacts(
            versionNumber: 160_004, systemIdentifier: 7_301_234_567_890_123_456, isInRecovery: true, timeline: TimelineID(5))
        postgres.facts = facts
        return postgres
    }

    private static var raft: RaftDiagnosis {
        var raft = RaftDiagnosis()
        raft.clusterID = "0f0c41d2"
        raft.appliedIndex = 48213
        raft.stateDigest = "ab"
        raft.diskLatencySeconds = 0.002
        return raft
    }
}
