import CLinux
import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import HTTPAPI
import Operations
import PostgresControl

/// Looks at this machine and its configuration file; nothing is changed, and no daemon is needed.
struct MachineInspection {
    let path: String
    /// What the daemon runs with; nil for a client, which takes it from the file.
    var running: NodeConfiguration?
    var isDaemon: Bool { running != nil }

    func diagnosis() async -> NodeDiagnosis {
        var result = NodeDiagnosis()
        result.isDaemon = isDaemon
        result.version = BuildInformation.version
        let (configuration, facts) = readConfiguration()
        result.configuration = facts
        result.machine.user = MachineInspection.userName(geteuid()) ?? "\(geteuid())"
        result.machine.isRoot = geteuid() == 0
        result.machine.clockSynchronised = MachineInspection.flag(pgb_clock_synchronised())
        result.machine.fileLimit = MachineInspection.fileLimit()
        result.machine.capabilities = MachineInspection.capabilities()
        guard let configuration else { return result }
        result.node = configuration.node.name
        result.kind = configuration.kind
        inspectDirectories(configuration, &result)
        result.ports = PortInspection(configuration: configuration, isDaemon: isDaemon).ports()
        result.certificates = certificates(configuration)
        result.systemd = SystemdInspection(dataDirectory: configuration.postgresql?.dataDirectory).facts()
        result.backup = backup(configuration)
        result.rollbackCopy = await rollbackCopy()
        result.vip = vip(configuration)
        if let settings = configuration.postgresql { result.postgres = await postgres(settings) }
        return result
    }

    // MARK: Configuration

    private func readConfiguration() -> (NodeConfiguration?, ConfigurationFacts) {
        var facts = ConfigurationFacts()
        facts.path = path
        facts.mode = MachineInspection.status(path).map { Int($0.st_mode & 0o7777) }
        facts.isReadable = access(path, R_OK) == 0
        var configuration = running
        if facts.isReadable {
            do throws(ConfigurationErrors) {
                let loaded = try load()
                facts.warnings = loaded.warnings.map { "\($0)" }
                if let running {
                    let changes = ConfigurationChanges(from: running, to: loaded.configuration)
                    facts.notApplied = (changes.reloadable + changes.needsRestart).map(\.key)
                }
                configuration = running ?? loaded.configuration
            } catch {
                facts.errors = error.diagnostics.map { "\($0)" }
            }
        }
        guard let configuration else { return (nil, facts) }
        let entries = configuration.entries
        facts.values = entries.map { ConfigurationValue(key: $0.key, value: $0.value) }
        facts.clusterWide = facts.values.filter { ConfigFiles.ConfigurationEntry.isClusterWide($0.key) }
        facts.hasToken = configuration.api.authToken != nil || configuration.api.authTokenFile != nil
        facts.tokenFile = configuration.api.authTokenFile
        facts.tokenFileMode = configuration.api.authTokenFile.flatMap { MachineInspection.status($0) }.map { Int($0.st_mode & 0o7777) }
        facts.hasRaftState = MachineInspection.status(configuration.raft.dataDirectory + "/raft.db") != nil
        return (configuration, facts)
    }

    /// Without the token when this user may not read its file: that is not an error of the configuration.
    private func load() throws(ConfigurationErrors) -> LoadedConfiguration {
        do throws(ConfigurationErrors) { return try ConfigurationFile.load(path: path) } catch {
            guard error.diagnostics.allSatisfy({ $0.message.hasPrefix("could not read the token file") }), geteuid() != 0 else {
                throw error
            }
            return try ConfigurationFile.load(path: path, tokenFiles: .skip)
        }
    }

    // MARK: Files

    private func inspectDirectories(_ configuration: NodeConfiguration, _ result: inout NodeDiagnosis) {
        var places = [("raft", configuration.raft.dataDirectory), ("state", configuration.node.stateDirectory)]
        if let data = configuration.postgresql?.dataDirectory { places.append(("data", data)) }
        result.machine.directories = places.map { MachineInspection.directory($0.0, $0.1) }
        result.machine.serviceUser = result.directory("data")?.owner ?? (isDaemon ? result.machine.user : result.directory("raft")?.owner)
    }

    private static func directory(_ purpose: String, _ path: String) -> MachineFacts.Directory {
        var facts = MachineFacts.Directory(purpose: purpose, path: path)
        if let status = status(path) {
            facts.exists = true
            facts.owner = userName(status.st_uid) ?? "\(status.st_uid)"
            facts.isOwn = status.st_uid == geteuid()
            facts.mode = Int(status.st_mode & 0o7777)
        }
        // A directory that does not exist yet will be on its parent's disk.
        var place = path
        while self.status(place) == nil, let slash = place.lastIndex(of: "/"), slash != place.startIndex { place = String(place[..<slash]) }
        var disk = statvfs()
        if statvfs(self.status(place) == nil ? "/" : place, &disk) == 0 {
            facts.freeBytes = UInt64(disk.f_bavail) * UInt64(disk.f_frsize)
            facts.totalBytes = UInt64(disk.f_blocks) * UInt64(disk.f_frsize)
        }
        return facts
    }

    private func backup(_ configuration: NodeConfiguration) -> BackupFacts {
        var facts = BackupFacts()
        facts.directory = configuration.backup.directory
        facts.exists = MachineInspection.status(facts.directory) != nil
        facts.isWritable = access(facts.directory, W_OK | X_OK) == 0
        facts.maxAgeSeconds = configuration.backup.maxAge.inSeconds
        facts.drillMaxAgeSeconds = configuration.backup.drillMaxAge.inSeconds
        facts.minRedundancy = configuration.backup.retention.minimumRedundancy
        return facts
    }

    private func rollbackCopy() async -> RollbackFacts {
        var facts = RollbackFacts()
        let beside = DaemonEntry.ownProgram() + ".backup"
        facts.path = MachineInspection.status(beside) != nil ? beside : "/usr/local/bin/pgbastion.backup"
        facts.exists = MachineInspection.status(facts.path) != nil
        guard facts.exists, let text = await OutsideProgram.output(facts.path, ["--version"]) else { return facts }
        // `pgbastion 1.2.0 (commit ...`
        facts.version = text.split(separator: " ").dropFirst().first.map(String.init)
        return facts
    }

    private func certificates(_ configuration: NodeConfiguration) -> [CertificateFacts] {
        let files = [
            ("api.tls_cert", configuration.api.tls?.certificateFile), ("raft.tls_cert", configuration.raft.tls?.certificateFile),
            ("raft.tls_ca", configuration.raft.tls?.authorityFile),
        ]
        return files.compactMap { key, path in
            guard let path else { return nil }
            var facts = CertificateFacts(key: key, path: path)
            facts.secondsLeft = CertificateDates.notAfter(path).map { Int64($0) - wallClockMilliseconds() / 1000 }
            return facts
        }
    }

    private func vip(_ configuration: NodeConfiguration) -> VIPFacts {
        var facts = VIPFacts()
        guard let vip = configuration.vip else { return facts }
        facts.interface = vip.interface
        facts.interfaceExists = if_nametoindex(vip.interface) != 0
        return facts
    }

    /// How the configuration file says the server is reached; nil when it cannot be read or names none.
    static func postgresSettings(_ path: String) -> NodeConfiguration.PostgreSQL? {
        do throws(ConfigurationErrors) { return try ConfigurationFile.load(path: path, tokenFiles: .skip).configuration.postgresql } catch {
            return nil
        }
    }

    // MARK: PostgreSQL's files

    private static let programs = ["postgres", "pg_ctl", "initdb", "pg_controldata", "pg_rewind", "pg_basebackup", "pg_waldump"]

    private func postgres(_ settings: NodeConfiguration.PostgreSQL) async -> PostgresDiagnosis {
        var facts = PostgresDiagnosis()
        facts.binDirectory = settings.binDirectory
        if let directory = settings.binDirectory {
            facts.missingPrograms = MachineInspection.programs.filter { access("\(directory)/\($0)", X_OK) != 0 }
            // `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`
            let text = await OutsideProgram.output("\(directory)/postgres", ["--version"])
            facts.programVersion = text?.split(separator: " ").dropFirst(2).first.flatMap { Int($0.prefix { $0.isNumber }) }
        }
        facts.dataDirectory = settings.dataDirectory
        guard let directory = settings.dataDirectory else { return facts }
        facts.dataVersion = TextFiles.read(directory + "/PG_VERSION").flatMap { Int($0.prefix { $0.isNumber }) }
        let mayLook = access(directory, R_OK | X_OK) == 0
        facts.dataIsEmpty = MachineInspection.status(directory) == nil || (mayLook && TextFiles.entries(directory).isEmpty)
        facts.postmasterPID = MachineInspection.postmaster(directory)
        return facts
    }

    /// The process of `postmaster.pid`, if it lives and is a server.
    static func postmaster(_ dataDirectory: String) -> Int32? {
        guard let text = TextFiles.read(dataDirectory + "/postmaster.pid"),
            let pid = text.split(separator: "\n").first.flatMap({ Int32($0) }),
            pid > 1, kill(pid, 0) == 0 || errno == EPERM
        else { return nil }
        // A number that was given to another process since, or a server that ended and nobody has taken note of.
        let state = TextFiles.read("/proc/\(pid)/stat") ?? ""
        guard let end = state.lastIndex(of: ")"), let begin = state.firstIndex(of: "(") else { return nil }
        let name = state[state.index(after: begin)..<end]
        let isZombie = state[end...].dropFirst(2).first == "Z"
        return !isZombie && (name.hasPrefix("postgres") || name.hasPrefix("postmaster")) ? pid : nil
    }

    // MARK: The machine

    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    static func userName(_ id: uid_t) -> String? { getpwuid(id).map { String(cString: $0.pointee.pw_name) } }

    private static func flag(_ value: Int32) -> Bool? { value < 0 ? nil : value == 1 }

    private static func fileLimit() -> UInt64 {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? UInt64(limit.rlim_max) : 0
    }

    private static func capabilities() -> [String] {
        let mask = pgb_capabilities()
        let names = [
            (PGB_CAP_NET_ADMIN, "net_admin"), (PGB_CAP_NET_RAW, "net_raw"), (PGB_CAP_IPC_LOCK, "ipc_lock"), (PGB_CAP_SYS_NICE, "sys_nice"),
        ]
        return names.filter { mask & (1 << UInt64($0.0)) != 0 }.map(\.1)
    }
}

extension NodeDiagnosis {
    fileprivate func directory(_ purpose: String) -> MachineFacts.Directory? {
        machine.directories.first { $0.purpose == purpose && $0.exists }
    }
}
