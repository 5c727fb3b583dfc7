import ClusterModel
import FoundationEssentials
import Glibc
import PostgresControl
import PostgresTestKit
import Testing

/// Each test has a process of its own that becomes the service user, since PostgreSQL does not run as root.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ServerTests {
    @Test func `a bootstrapped server has our roles and keeps secrets out of its log`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1") { nodes in
                let node = nodes[0]
                let before = await node.adapter.facts()
                #expect(before.dataDirectory == .missing && before.control == nil && before.server == nil)
                try await node.perform(.initialize)
                let made = await node.adapter.facts()
                #expect(made.control?.hasChecksums == true && made.control?.state == .shutDown)
                try await node.perform(.prepareStandby(node.settings()))
                try await node.start()
                try await node.promote(to: 2)
                #expect(node.server.query("ALTER SYSTEM SET log_statement = 'all'") != nil)
                #expect(node.server.query("SELECT pg_reload_conf()") == "t")
                try await node.perform(.ensureRoles)
                try await node.perform(.ensureRoles)
                let facts = await node.adapter.facts()
                #expect(facts.server?.isInRecovery == false && facts.server?.timeline == TimelineID(2))
                #expect(facts.server?.history.map(\.timeline) == [TimelineID(1)])
                #expect(facts.server?.systemIdentifier == facts.control?.systemIdentifier)
                #expect(facts.dataID != nil && facts.unfinishedJob == nil && facts.sqlError == nil)
                let replicator = "SELECT rolreplication FROM pg_authid WHERE rolname = 'replicator'"
                #expect(node.server.query(replicator) == "t")
                let secrets = try #require(try await node.adapter.secrets())
                let log = try String(contentsOfFile: node.server.logFile, encoding: .utf8)
                #expect(!log.contains(secrets.replicationPassword) && !log.contains(secrets.rewindPassword))
                #expect(!log.contains("SCRAM-SHA-256$"))
                var status = stat()
                #expect(stat(node.input.stateDirectory + "/postgresql/passfile", &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600)
            }
        }
    }

    @Test func `settings are applied when a new session shows them`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1") { nodes in
                let node = nodes[0]
                try await node.bootstrap()
                #expect(node.server.query("ALTER SYSTEM SET work_mem = '7MB'") != nil)
                try await node.perform(.applySettings(node.settings(parameters: ["work_mem": "9MB"])))
                #expect(node.server.query("SHOW work_mem") == "9MB")
                let conf = try String(contentsOfFile: node.input.dataDirectory + "/postgresql.conf", encoding: .utf8)
                let last = conf.split(separator: "\n").last
                #expect(last?.hasPrefix("include '") == true && last?.hasSuffix("keep this line last") == true)
                // A managed parameter that the server refuses keeps its old value: nothing that fences may wait for it.
                try await node.perform(.applySettings(node.settings(parameters: ["work_mem": "many"])))
                #expect(node.server.query("SHOW work_mem") == "9MB")
                try await node.perform(.checkpoint)
                #expect(await node.adapter.measureLatestFlush() != nil)
            }
        }
    }

    @Test func `a frozen server is reported in time and is not taken for a stopped one`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1", adjust: { $0.healthTimeout = .milliseconds(300) }) { nodes in
                let node = nodes[0]
                try await node.bootstrap()
                let adapter = node.adapter
                async let one = adapter.facts()
                async let two = adapter.facts()
                let both = await [one, two]
                #expect(both.allSatisfy { $0.server != nil })
                node.server.signalAll(SIGSTOP)
                let began = ContinuousClock.now
                let frozen = await node.adapter.facts()
                #expect(ContinuousClock.now - began < .milliseconds(900))
                #expect(frozen.server == nil && frozen.sqlError != nil && frozen.dataDirectory == .present)
                #expect(frozen.control?.state == .inProduction)
                node.server.signalAll(SIGCONT)
                let recovered = await Eventually.holds { await node.adapter.facts().server != nil }
                #expect(recovered)
                let probe = node.input.dataDirectory + "/pg_wal/pgbastion.probe"
                let isWritten = await Eventually.holds { access(probe, F_OK) == 0 }
                #expect(isWritten)
                #expect(await node.adapter.facts().storage == .healthy)
                node.server.stop()
                let stopped = await node.adapter.facts()
                #expect(stopped.server == nil && stopped.control?.state == .shutDown)
            }
        }
    }

    @Test func `an interrupted clone is visible, and a clone keeps the old data in quarantine`() async {
        await #expect(processExitsWith: .success) {
            try await withNodes("node-1", "node-2") { nodes in
                let (primary, replica) = (nodes[0], nodes[1])
                try await primary.bootstrap()
                let place = primary.server.socketDirectory + "/space"
                mkdir(place, 0o700)
                #expect(primary.server.query("CREATE TABLESPACE s LOCATION '\(place)'") != nil)
                #expect(primary.server.query("CREATE TABLE kept TABLESPACE s AS SELECT 1 AS x") != nil)
                try await replica.perform(.initialize)
                let own = await replica.adapter.facts()
                try await replica.adapter.adopt(secrets: try #require(try await primary.adapter.secrets()))
                // There is no such slot: the job fails, the data stay, the marker tells.
                let failed = await replica.adapter.perform(.clone(source: primary.endpoint, slot: "missing"))
                guard case .failed(let error) = failed else {
                    Issue.record("a clone without its slot succeeded")
                    return
                }
                #expect(error.detail?.contains("missing") == true)
                let interrupted = await replica.adapter.facts()
                #expect(interrupted.unfinishedJob == "clone" && interrupted.dataID != own.dataID)
                #expect(interrupted.control?.systemIdentifier == own.control?.systemIdentifier)

                try await replica.join(primary)
                let caughtUp = await replica.catchesUp(with: primary)
                #expect(caughtUp && replica.server.query("SELECT count(*) FROM kept") == "1")
                let joined = await replica.adapter.facts()
                #expect(joined.unfinishedJob == nil && joined.dataID != interrupted.dataID)
                #expect(joined.control?.systemIdentifier != own.control?.systemIdentifier)
                var beside = try FileManager.default.contentsOfDirectory(atPath: replica.server.socketDirectory)
                #expect(beside.filter { $0.hasPrefix("node-2.quarantine-") }.count == 1)
                #expect(!beside.contains { $0.hasPrefix("node-2.clone-") })
                #expect(beside.contains { $0.hasPrefix("space.clone-node-2-") })

                // --keep-old: what was asked for counts, not the days.
                #expect(try await replica.adapter.pruneQuarantine(freePercent: 0).isEmpty)
                let kept = replica.server.socketDirectory + "/" + (beside.first { $0.hasPrefix("node-2.quarantine-") } ?? "")
                try Data("4102444800\n".utf8).write(to: URL(filePath: kept + "/pgbastion.keep-until"))
                #expect(try await replica.adapter.pruneQuarantine(keepingDays: -1, freePercent: 0).isEmpty)
                try Data("1\n".utf8).write(to: URL(filePath: kept + "/pgbastion.keep-until"))
                #expect(try await replica.adapter.pruneQuarantine(freePercent: 0) == [kept])

                guard case .failed = await replica.adapter.perform(.quarantine(reason: "test")) else {
                    Issue.record("a running server's directory was moved")
                    return
                }
                replica.server.stop()
                try await replica.perform(.quarantine(reason: "test"))
                #expect(await replica.adapter.facts().dataDirectory == .missing)
                beside = try FileManager.default.contentsOfDirectory(atPath: replica.server.socketDirectory)
                #expect(beside.filter { $0.hasPrefix("node-2.quarantine-") }.count == 1)
                // Without a data directory none goes, whatever its age.
                #expect(try await replica.adapter.pruneQuarantine(keepingDays: -1, freePercent: 0).isEmpty)
            }
        }
    }
}
