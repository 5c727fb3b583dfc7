import ClusterModel

/// Turns the mapping of a configuration file into a `NodeConfiguration`, and gathers every error on the way.
///
/// Each method reads one section; what concerns two sections is in `ConfigurationReader+Checks.swift`.
struct ConfigurationReader {
    let root: SectionReader
    let tokenFiles: TokenFileAccess
    var collector: DiagnosticCollector { root.collector }

    init(root: YAMLNode, collector: DiagnosticCollector, tokenFiles: TokenFileAccess) {
        self.root = SectionReader(root, path: "", collector: collector)
        self.tokenFiles = tokenFiles
    }

    /// The configuration; complete only when the collector has no errors afterwards.
    func read() -> NodeConfiguration? {
        readVersion()
        let node = readNode()
        // The other sections are read in any case: all errors are reported at once (K15).
        guard var result = NodeConfiguration.blank else { return nil }
        if let node { result.node = node }
        result.raft = readRaft(stateDirectory: result.node.stateDirectory)
        result.cluster = readCluster(defaultPort: result.raft.bindPort)
        readMemberlist()
        result.proxy = readProxy()
        result.vip = readVIP()
        result.api = readAPI(runDirectory: result.node.runDirectory)
        result.metrics = readMetrics(defaultAddresses: result.api.bindAddresses)
        result.log = readLog()
        result.postgresql = readPostgreSQL(proxy: result.proxy)
        result.failover = readFailover()
        result.watchdog = readWatchdog()
        result.synchronous = readSynchronous()
        result.backup = readBackup()
        result.standbyCluster = readStandbyCluster()
        result.tracing = readTracing()
        root.finish()
        check(result)
        return node == nil ? nil : result
    }

    private func readVersion() {
        guard let version = root.integer("version", in: 0...Int.max, form: .integer(1...NodeConfiguration.supportedVersion)) else { return }
        let supported = NodeConfiguration.supportedVersion
        guard version != supported else { return }
        let message =
            "version \(version) of the configuration is not supported; this program reads version \(supported)"
        let hint = version > supported ? "the file is for a newer pgbastion" : "write version: \(supported)"
        collector.error(about: "version", message, hint: hint)
    }

    private func readNode() -> NodeConfiguration.Node? {
        let section = root.section("node")
        defer { section.finish() }
        let expected = "a node name: 1 to 63 of a-z, 0-9 and \"-\", with a letter or digit at both ends"
        let name = section.value("name", expected, form: .pattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")) { text, _ in
            NodeName(text)
        }
        let address = section.value("address", "an IP address or host name without a port") { text, _ in
            HostAddress(text)
        }
        let stateDirectory = section.path("state_dir")
        let runDirectory = section.path("run_dir")
        require("node.name", hint: "add it under \"node:\", such as name: node1")
        require("node.address", hint: "add the address at which the other nodes reach this one")
        guard let name, let address else { return nil }
        var node = NodeConfiguration.Node(name: name, address: address)
        set(&node.stateDirectory, stateDirectory)
        set(&node.runDirectory, runDirectory)
        return node
    }

    private func readCluster(defaultPort: TCPPort) -> NodeConfiguration.Cluster {
        let section = root.section("cluster")
        defer { section.finish() }
        var cluster = NodeConfiguration.Cluster()
        let expected = "a cluster name: 1 to 63 letters, digits, \".\", \"_\" and \"-\", a letter or digit first"
        set(
            &cluster.name,
            section.value("name", expected, form: .pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")) { text, _ in
                isClusterName(text) ? text : nil
            })
        let peers = section.list("peers", "an address, such as 10.0.1.2 or 10.0.1.2:8300") { text, _ in
            HostAndPort(text, defaultPort: defaultPort)
        }
        set(&cluster.peers, peers)
        return cluster
    }

    private func readMemberlist() {
        let section = root.section("memberlist")
        section.ignored("bind_port", hint: "remove the section; members talk over raft.bind_port only")
        section.finish()
    }

    private func readRaft(stateDirectory: String) -> NodeConfiguration.Raft {
        let section = root.section("raft")
        defer { section.finish() }
        var raft = NodeConfiguration.Raft()
        raft.dataDirectory = section.path("data_dir") ?? stateDirectory + "/raft"
        set(&raft.bindPort, section.port("bind_port"))
        set(&raft.bootstrap, section.flag("bootstrap"))
        set(&raft.logLevel, section.logLevel("log_level"))
        set(&raft.snapshotRetain, section.integer("snapshot_retain", in: 1...100))
        set(&raft.transportTimeout, section.duration("transport_timeout", in: .milliseconds(100) ... .seconds(600)))
        set(&raft.electionTimeout, section.duration("election_timeout", in: .milliseconds(100) ... .seconds(60)))
        set(&raft.heartbeatInterval, section.duration("heartbeat_interval", in: .milliseconds(10) ... .seconds(15)))
        section.ignored("heartbeat_timeout", hint: "use raft.heartbeat_interval")
        if raft.logLevel != NodeConfiguration.Raft().logLevel {
            collector.warning(
                about: "raft.log_level", "raft.log_level has no effect: all lines of the log follow log.level",
                hint: "use log.level")
        }
        raft.tls = readRaftTLS(section)
        return raft
    }

    private func readRaftTLS(_ section: SectionReader) -> NodeConfiguration.TransportSecurity? {
        let isEnabled = section.flag("tls_enabled") ?? false
        let certificate = section.path("tls_cert")
        let key = section.path("tls_key")
        let authority = section.path("tls_ca")
        guard isEnabled else {
            if certificate != nil || key != nil || authority != nil {
                collector.warning(
                    about: "raft", "the certificates of section \"raft\" are not used",
                    hint: "set raft.tls_enabled: true")
            }
            return nil
        }
        for name in ["tls_cert", "tls_key", "tls_ca"] where !collector.isWritten("raft.\(name)") {
            collector.error(about: "raft.tls_enabled", "raft.tls_enabled needs \"raft.\(name)\"")
        }
        guard let certificate, let key, let authority else { return nil }
        return .init(certificateFile: certificate, keyFile: key, authorityFile: authority)
    }

    private func readProxy() -> NodeConfiguration.Proxy {
        let section = root.section("proxy")
        defer { section.finish() }
        var proxy = NodeConfiguration.Proxy()
        set(&proxy.primaryPort, section.port("primary_port"))
        set(&proxy.replicaPort, section.port("replica_port"))
        set(&proxy.drainTimeout, section.duration("drain_timeout", in: .zero ... .seconds(86400)))
        set(&proxy.connectTimeout, section.duration("connect_timeout", in: .milliseconds(10) ... .seconds(600)))
        set(&proxy.replicaMaxLag, section.size("replica_max_lag"))
        let pool = section.section("pool")
        set(&proxy.pool.isEnabled, pool.flag("enabled"))
        set(&proxy.pool.maxPoolSize, pool.integer("max_pool_size", in: 1...10_000))
        set(&proxy.pool.minIdleConnections, pool.integer("min_idle_conns", in: 0...10_000))
        let times: ClosedRange<Duration> = .milliseconds(10) ... .seconds(86400)
        set(&proxy.pool.idleTimeout, pool.duration("idle_timeout", in: times))
        set(&proxy.pool.maxConnectionLifetime, pool.duration("max_conn_lifetime", in: times))
        set(&proxy.pool.healthCheckPeriod, pool.duration("health_check_period", in: times))
        set(&proxy.pool.acquireTimeout, pool.duration("acquire_timeout", in: times))
        pool.finish()
        if proxy.pool.isEnabled {
            collector.warning(
                about: "proxy.pool.enabled", "this version opens no server connections in advance",
                hint: "set proxy.pool.enabled: false; a pooler such as PgBouncer may stand before the proxy")
        }
        return proxy
    }

    // MARK: helpers of all sections

    /// Keeps the default in `target` when the file gives no usable value.
    func set<T>(_ target: inout T, _ value: T?) {
        if let value { target = value }
    }

    func require(_ key: String, hint: String) {
        collector.describe(key) { $0.isRequired = true }
        guard !collector.isWritten(key) else { return }
        collector.error(about: key, "\"\(key)\" is missing", hint: hint)
    }

    private func isClusterName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func isWord(_ b: UInt8) -> Bool { (48...57).contains(b) || (65...90).contains(b) || (97...122).contains(b) }
        guard let first = bytes.first, isWord(first), bytes.count <= 63 else { return false }
        return bytes.allSatisfy {
            isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }
}

extension NodeConfiguration {
    /// Stands in while the errors of a file without a usable `node` section are gathered; never handed out.
    fileprivate static var blank: NodeConfiguration? {
        NodeName("unnamed").flatMap { name in
            HostAddress("127.0.0.1").map { NodeConfiguration(name: name, address: $0) }
        }
    }
}
