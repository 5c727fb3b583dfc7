import ClusterModel
import ConfigFiles
import FailoverCore
import Glibc
import Operations
import RaftCore
import RaftIO
import Runbooks

/// `local` of the state document: what this machine has while its daemon may be stopped (runbooks.md, section 5).
struct LocalStateReader: Sendable {
    let configurationPath: String
    /// What the node is called where there is no configuration file yet.
    let fallbackName: String

    func read() async -> JSONValue {
        do throws(BastionError) {
            guard access(configurationPath, F_OK) == 0 else { return document(nil) }
            return await read(try RecoverySite(configurationPath: configurationPath))
        } catch {
            return document(false)
        }
    }

    /// Without a readable configuration little is known.
    private func document(_ isConfigurationValid: Bool?) -> JSONValue {
        .record([
            ("node", .string(fallbackName)), ("daemon_running", .bool(false)), ("guard_running", .bool(false)),
            ("config_valid", isConfigurationValid.map { .bool($0) } ?? .null), ("ports_free", .bool(true)), ("clock_synchronised", .null),
            ("data_dir", .string("missing")), ("cluster_id", .null), ("epoch", .null), ("last_term", .null), ("last_index", .null),
            ("postgres", .null), ("members", .array([])),
        ])
    }

    private func read(_ site: RecoverySite) async -> JSONValue {
        let configuration = site.configuration
        let isRunning = isDaemonRunning(site)
        let directory = isRunning ? nil : stopped(site)
        let ports = PortInspection(configuration: configuration, isDaemon: false).ports()
        return .record([
            ("node", .string(configuration.node.name.rawValue)), ("daemon_running", .bool(isRunning)),
            (
                "guard_running",
                .bool(SandboxProcesses.find(arguments: ["guard", "--state-dir", configuration.node.stateDirectory]) != nil)
            ),
            ("config_valid", .bool(true)), ("ports_free", .bool(ports.allSatisfy { $0.state != .taken })), ("clock_synchronised", .null),
            ("data_dir", .string(kind(site))), ("cluster_id", .optional(directory?.clusterID?.short)),
            ("epoch", directory.map { .integer($0.epoch) } ?? .null),
            ("last_term", directory.map { .integer($0.lastTerm.rawValue) } ?? .null),
            ("last_index", directory.map { .integer($0.lastIndex.rawValue) } ?? .null), ("postgres", await postgres(configuration)),
            ("members", .array(await members(site, directory))),
        ])
    }

    private func isDaemonRunning(_ site: RecoverySite) -> Bool {
        do throws(BastionError) {
            try site.requireStopped()
            return false
        } catch {
            return error.code == .nodeRunning
        }
    }

    private func stopped(_ site: RecoverySite) -> StoppedDirectory? {
        do throws(BastionError) { return try StoppedDirectory.open(site.directory) } catch { return nil }
    }

    /// `missing empty initialised restored recovered`
    private func kind(_ site: RecoverySite) -> String {
        guard access(site.directory, F_OK) == 0 else { return "missing" }
        do throws(BastionError) {
            if let marker = try RestoredMarker.unconsumed(in: site.directory) {
                return marker.archive == "raft recover" ? "recovered" : "restored"
            }
        } catch {}
        let names = TextFiles.entries(site.directory).filter { !$0.hasPrefix(".") && $0 != "lost+found" && $0 != "LOCK" }
        return names.isEmpty ? "empty" : "initialised"
    }

    private func postgres(_ configuration: NodeConfiguration) async -> JSONValue {
        guard let data = configuration.postgresql?.dataDirectory, let file = await PostgresIdentity.controlFile(configuration) else {
            return .null
        }
        let isRunning = MachineInspection.postmaster(data) != nil
        let isReplica = access(data + "/standby.signal", F_OK) == 0
        return .record([
            ("running", .bool(isRunning)), ("in_recovery", .bool(isReplica)), ("system_identifier", .string("\(file.systemIdentifier)")),
            ("timeline", .integer(max(file.timeline.rawValue, file.minimumRecoveryTimeline.rawValue))),
            ("lsn", .string("\(max(file.checkpointLSN, file.minimumRecoveryLSN))")), ("control_state", .string(file.state.rawValue)),
        ])
    }

    private func members(_ site: RecoverySite, _ directory: StoppedDirectory?) async -> [JSONValue] {
        let addresses = site.otherMembers(in: directory?.complete.state)
        let answers = await MemberProbe(configuration: site.configuration).ask(addresses)
        return answers.map { answer in
            .record([
                ("name", .string(answer.name)), ("address", .string(answer.address.host)), ("reachable", .bool(answer.hello != nil)),
                ("cluster_id", .optional(answer.hello?.clusterID?.short)),
                ("has_leader", answer.hello == nil ? .null : .bool(answer.hasLeader)),
            ])
        }
    }
}
