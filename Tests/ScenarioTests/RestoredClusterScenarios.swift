import Bastion
import ClusterModel
import FailoverCore
import Glibc
import PostgresControl
import Synchronization
import Testing

extension ScenarioTests.RestoreScenarios {
    @Test func `orders that waited in the archive are never executed, and ghosts neither join nor vote nor route (B7, B8)`() async throws {
        try await played("ghosts") { sandbox in
            let nodes = sandbox.layout.nodes
            let (first, second, third) = (nodes[0], nodes[1], nodes[2])
            _ = try await moveToFirst(sandbox)
            let site = try RestoreSite(sandbox)
            guard let name1 = NodeName("node1"), let name2 = NodeName("node2") else { throw ScenarioFailure("no names") }
            let archive = try AlteredState.archive(
                from: site.archive, to: site.folder + "/backups", configuration: site.config,
                adding: [("b7-promote", .promote, name2), ("b7-fence", .fence, name1)])
            let before = try ClientProgram.json("backup show '\(archive)'", on: first, of: sandbox)
            try hold(before.contains("node2"), before)
            for node in nodes { sandbox.signal(SIGKILL, .daemon, node) }
            for node in [first, second] { _ = Shell.run("rm -rf '\(sandbox.layout.root(node))/raft'") }
            let watch = WriterWatch(sandbox)
            let ghost = Ghost(third, sandbox)
            ghost.start()
            do {
                try await restoredAndAccepted(archive, site, first, third, sandbox)
                await ghost.stop()
            } catch {
                await ghost.stop()
                _ = watch.stop()
                throw error
            }
            Report.line("the ghost was started \(ghost.starts) times (seed \(ghost.seed))")
            try hold(ghost.starts >= 2, "the ghost was started \(ghost.starts) times")
            let reset = ClientProgram.run("node reset --confirm node3", on: third, of: sandbox)
            try hold(reset.status == 0, "\(reset)")
            for node in [second, third] {
                try sandbox.startDaemon(node)
                try await added(node, through: first, sandbox)
            }
            try await sandbox.settled(seconds: 120)
            let moved = ClientProgram.run("raft transfer node2 --yes", on: first, of: sandbox)
            try hold(moved.status == 0, "\(moved)")
            try await sandbox.wait("node2 to lead", seconds: 30) { try await sandbox.rest(second).raft.leader_id == "node2" }
            try await sandbox.settled(stableFor: .seconds(2), seconds: 60)
            try hold(try await sandbox.primary().name == "node1", "somebody else was promoted")
            let both = watch.stop()
            try hold(both.isEmpty, both.joined(separator: "; "))
            try cancelled(site, second, sandbox)
        }
    }

    /// Restored, started three times, accepted; a ghost of the former cluster comes and goes all the while.
    private func restoredAndAccepted(
        _ archive: String, _ site: RestoreSite, _ first: SandboxNode, _ third: SandboxNode, _ sandbox: Sandbox
    ) async throws {
        let restored = Shell.run(
            "'\(sandbox.program)' restore '\(archive)' --bootstrap --assume-dead --confirm sandbox -o json --config '\(sandbox.layout.configuration(first))' < /dev/null"
        )
        try hold(restored.status == 0, "\(restored)")
        try hold(
            try Shell.jq(".data.cancelled_directives | sort | join(\" \")", restored.output) == "b7-fence b7-promote", restored.output)
        for round in 1...3 {
            if round > 1 { try await sandbox.stopDaemon(first) }
            try sandbox.startDaemon(first)
            try await sandbox.wait("node1 to lead alone, paused, start \(round)", seconds: 60) {
                let now = try await sandbox.rest(first)
                return now.raft.leader_id == "node1" && now.raft.voters == 1 && now.paused.active
            }
            try cancelled(site, first, sandbox)
        }
        var last = ""
        try await sandbox.wait("node1 to be accepted: \(last)", seconds: 60) {
            let accepted = ClientProgram.run("resume --accept-primary node1 --yes", on: first, of: sandbox)
            last = "\(accepted)"
            return accepted.status == 0
        }
        try await sandbox.wait("node1 to serve", seconds: 60) { try await sandbox.rest(first).primary?.phase == "serving" }
        // While the new cluster serves, a ghost that runs sends nobody anywhere.
        for _ in 0..<10 {
            try await sandbox.lasts(.milliseconds(200))
            for replica in [false, true] {
                let routed = Shell.run(
                    "PGCONNECT_TIMEOUT=2 timeout 5 psql -Atc 'select 1' '\(sandbox.clientConnection(third, replica: replica))' < /dev/null")
                try hold(routed.status != 0, "the ghost routes: \(routed)")
            }
            let now = try await sandbox.rest(first)
            try hold(now.raft.voters == 1 && now.raft.leader_id == "node1", "the ghost joined")
        }
    }

    /// No order of the archive is open, and none was carried out: read from a new archive.
    private func cancelled(_ site: RestoreSite, _ node: SandboxNode, _ sandbox: Sandbox) throws {
        let made = try ClientProgram.json("backup create --no-prune --series check --dir '\(site.folder)/checks'", on: node, of: sandbox)
        let found = Shell.run(
            """
            tar -xzOf '\(try Shell.jq(".data.path", made))' pgbastion-backup/state/fsm.json \
            | jq -r '[.directives[] | select(.id | startswith("b7-")) | .status + "/" + .error] | unique | join(" ")'
            """)
        try hold(found.output.trimmed == "cancelled/restored", "\(found)")
    }

    @Test func `an archive comes from standard input, as one without sidecar (7)`() async throws {
        try await played("standard input") { sandbox in
            let site = try RestoreSite(sandbox)
            func restore(_ options: String, from file: String) throws -> Shell.Result {
                try site.unchanged { Shell.run("'\(sandbox.program)' restore - \(options) --config '\(site.config)' -o json < '\(file)'") }
            }
            let unsealed = try restore("--bootstrap --assume-dead --confirm sandbox", from: site.archive)
            try hold(unsealed.status == 9 && "\(unsealed)".contains("unsealed"), "\(unsealed)")
            let rehearsed = try restore("--bootstrap --assume-dead --override unsealed --dry-run", from: site.archive)
            try hold(rehearsed.status == 2 && rehearsed.output.contains("no sidecar"), "\(rehearsed)")
            let damaged = try restore("--bootstrap --assume-dead --override unsealed --dry-run", from: site.folder + "/damaged/a.tar.gz")
            try hold(damaged.status == 9, "\(damaged)")
            let empty = try restore("--bootstrap --assume-dead --override unsealed --dry-run", from: "/dev/null")
            try hold(empty.status == 65, "\(empty)")
            let to = site.folder + "/from-input"
            let unpacked = Shell.run(
                "cat '\(site.archive)' | '\(sandbox.program)' restore - --to '\(to)' --config '\(site.config)' && cd '\(to)' && sha256sum -c checksums.sha256"
            )
            try hold(unpacked.status == 0 && unpacked.errors.contains("no sidecar"), "\(unpacked)")
            let done = Shell.run(
                "'\(sandbox.program)' restore - --bootstrap --assume-dead --override unsealed --confirm sandbox --config '\(site.config)' < '\(site.archive)'"
            )
            try hold(done.status == 0 && access(site.folder + "/raft/RESTORED.json", F_OK) == 0, "\(done)")
        }
    }

    @Test func `--section pgconfig changes the managed settings of the running cluster to those of the archive, and nothing else (7)`()
        async throws
    {
        try await played("section") { sandbox in
            let node = sandbox.layout.nodes[1]
            func run(_ arguments: String) -> Shell.Result { ClientProgram.run(arguments, on: node, of: sandbox) }
            try hold(run("pgconfig set work_mem=8MB log_min_duration_statement=5s --yes").status == 0, "not set")
            let site = try RestoreSite(sandbox)
            try hold(run("pgconfig set work_mem=16MB maintenance_work_mem=96MB --yes").status == 0, "not set")
            try hold(run("pgconfig unset log_min_duration_statement --yes").status == 0, "not unset")
            let command = "restore '\(site.archive)' --section pgconfig"
            let asked = run(command)
            try hold(asked.status == 64 && asked.errors.contains("--yes"), "\(asked)")
            let shown = run(command + " --dry-run")
            for line in [
                "work_mem: 16MB -> 8MB", "log_min_duration_statement: not managed -> 5s", "maintenance_work_mem: 96MB -> not managed",
            ] { try hold(shown.output.contains(line), "no \(line): \(shown)") }
            let values = "[.data.parameters | to_entries[] | \"\\(.key)=\\(.value)\"] | sort | join(\" \")"
            try hold(
                try Shell.jq(values, try ClientProgram.json("pgconfig get", on: node, of: sandbox))
                    == "maintenance_work_mem=96MB work_mem=16MB", "a rehearsal changed something")
            let done = run(command + " --yes")
            try hold(done.status == 0, "\(done)")
            try hold(
                try Shell.jq(values, try ClientProgram.json("pgconfig get", on: node, of: sandbox))
                    == "log_min_duration_statement=5s work_mem=8MB", "\(done)")
            for member in sandbox.layout.nodes {
                try await sandbox.wait("work_mem of \(member.name)", seconds: 30) {
                    try SimpleQuery.column("SHOW work_mem", on: sandbox.adminConnection(member)) == ["8MB"]
                }
            }
            let again = run(command + " --yes")
            try hold(again.status == 0 && again.output.contains("nothing to do"), "\(again)")
            let other = run("restore '\(site.archive)' --section nodes --yes")
            try hold(other.status == 64 && other.errors.contains("pgconfig"), "\(other)")
            try hold(run("pgconfig unset log_min_duration_statement work_mem --yes").status == 0, "not unset")
        }
    }
}

/// A daemon with the state of a lost cluster that is started and killed at random moments.
private final class Ghost: Sendable {
    let seed: UInt64
    private let node: SandboxNode
    private let sandbox: Sandbox
    private struct State {
        var isStopped = false
        var starts = 0
        var task: Task<Void, Never>?
    }
    private let state = Mutex(State())

    init(_ node: SandboxNode, _ sandbox: Sandbox) {
        seed = .random(in: 1...1_000_000)
        self.node = node
        self.sandbox = sandbox
    }

    var starts: Int { state.withLock { $0.starts } }

    func start() {
        let task = Task { await self.haunt() }
        state.withLock { $0.task = task }
    }

    /// The ghost is dead when this returns.
    func stop() async {
        let task = state.withLock { state in
            state.isStopped = true
            return state.task
        }
        await task?.value
    }

    private func haunt() async {
        var random = seed
        func next(_ limit: UInt64) -> Int64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64((random >> 33) % limit)
        }
        while !state.withLock({ $0.isStopped }) {
            do {
                try await sandbox.lasts(.milliseconds(next(1_500)))
                try sandbox.startDaemon(node)
                state.withLock { $0.starts += 1 }
                try await sandbox.lasts(.milliseconds(500 + next(4_000)))
            } catch {
                Report.line("the ghost: \(error)")
            }
            sandbox.signal(SIGKILL, .daemon, node)
            do { try await sandbox.wait("the ghost's end", seconds: 20) { self.sandbox.daemonPID(self.node) == nil } } catch {
                Report.line("the ghost: \(error)")
            }
        }
    }
}
