import BackupArchive
import Bastion
import ClusterModel
import FoundationEssentials
import Glibc
import HTTPAPI
import Operations
import Synchronization
import Testing

extension ScenarioTests.Backups {
    @Test func `a node whose state was altered by hand makes backup exit 9 and raises the metric (B2)`() async throws {
        try await backedUp("altered state") { sandbox, directory in
            let first = sandbox.layout.nodes[0]
            let leader = try await sandbox.rest(first).raft.leader_id
            let primary = try await sandbox.primary().name
            guard let node = sandbox.layout.nodes.first(where: { $0.name != leader && $0.name != primary }) else {
                throw ScenarioFailure("every node leads")
            }
            try await sandbox.stopDaemon(node)
            try AlteredState.write(in: sandbox.layout.root(node) + "/raft")
            try sandbox.startDaemon(node)
            try await sandbox.settled()
            let made = ClientProgram.run("backup create --dir '\(directory)'", on: first, of: sandbox)
            try hold(made.status == 9 && made.errors.contains(node.name), "\(made)")
            let left = Shell.run("ls -A '\(directory)'").output.split(separator: "\n").map(String.init)
            try hold(left.filter { $0 != ".lock" }.allSatisfy { $0.hasSuffix(".quarantine") } && left.count == 2, "\(left)")
            try await mismatch("1", through: first, sandbox)
            // The way out: the node forgets what it has and gets the cluster's state.
            try await sandbox.stopDaemon(node)
            try hold(ClientProgram.run("peer remove \(node.name) --yes", on: on(leader, sandbox), of: sandbox).status == 0, "not removed")
            let reset = ClientProgram.run("node reset --confirm \(node.name)", on: node, of: sandbox)
            try hold(reset.status == 0, "\(reset)")
            try sandbox.startDaemon(node)
            try await sandbox.wait("\(node.name) to be added again", seconds: 60) {
                ClientProgram.run("node rejoin \(node.name) 127.0.0.1:\(node.raftPort)", on: self.on(leader, sandbox), of: sandbox).status
                    == 0
            }
            try await sandbox.settled(seconds: 120)
            let whole = try ClientProgram.json("backup create --dir '\(directory)'", on: first, of: sandbox)
            try hold(try Shell.jq(".data.agreed_by | length", whole) == "3", whole)
            let events = Shell.run(
                "tar -xzOf '\(try Shell.jq(".data.path", whole))' pgbastion-backup/state/fsm.json | jq -r '.events[].kind'")
            try hold(events.output.contains("state.digest_mismatch"), "\(events)")
            try await mismatch("0", through: first, sandbox)
        }
    }

    @Test func `under writers at full rate every write acknowledged before backup began is in the archive (B1)`() async throws {
        try await backedUp("writers") { sandbox, directory in
            let writers = try MetadataWriters(sandbox, count: 24)
            let began = ContinuousClock.now
            writers.start()
            try await sandbox.wait("1500 writes", seconds: 90) { writers.total >= 1_500 }
            let elapsed = ContinuousClock.now - began
            let rate = Double(writers.total) / (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
            for (round, node) in sandbox.layout.nodes.enumerated() {
                let acknowledged = writers.acknowledged
                let made = try ClientProgram.json("backup create --series round\(round) --dir '\(directory)'", on: node, of: sandbox)
                // Too large for the environment of a process: read by a pipe.
                let claims = Shell.run(
                    """
                    tar -xzOf '\(try Shell.jq(".data.path", made))' pgbastion-backup/state/fsm.json \
                    | jq -r '.backups.claims[] | select(.windowSeconds == 7) | "\\(.series) \\(.window)"'
                    """)
                try hold(claims.status == 0, "\(claims)")
                var stored: [String: Int64] = [:]
                for line in claims.output.split(separator: "\n") {
                    let parts = line.split(separator: " ").map(String.init)
                    stored[parts[0]] = Int64(parts[1])
                }
                for (series, window) in acknowledged {
                    try hold((stored[series] ?? -1) >= window, "\(series): \(window) was acknowledged, \(stored[series] ?? -1) is stored")
                }
            }
            await writers.stop()
            Report.line("metadata writes: \(Int(rate)) per second, \(writers.total) in all")
            try hold(rate > 20, "only \(rate) writes per second")
        }
    }

    @Test func `a monitoring service is told of the start, the success with the archive's id, and the failure (step 13)`() async throws {
        try await backedUp("ping") { sandbox, directory in
            let node = sandbox.layout.nodes[0]
            let server = try PingServer(directory + "-ping")
            defer { server.stop() }
            let config = server.folder + "/pgbastion.yaml"
            let copied = Shell.run(
                "cp '\(sandbox.layout.configuration(node))' '\(config)' && printf 'backup:\\n  ping_url: http://127.0.0.1:\(server.port)/hc/abc\\n' >> '\(config)'"
            )
            try hold(copied.status == 0, "\(copied)")
            let made = Shell.run("'\(sandbox.program)' backup create --dir '\(directory)' -o json --config '\(config)' < /dev/null")
            try hold(made.status == 0, "\(made)")
            let id = try Shell.jq(".data.id", made.output)
            let told = server.lines
            try hold(told.count == 2 && told[0] == "GET /hc/abc/start " && told[1].hasPrefix("POST /hc/abc "), "\(told)")
            try hold(told[1].contains("rid=\(id)"), "\(told)")
            try hold(try Shell.jq(".data.warnings | length", made.output) == "0", made.output)
            let failed = Shell.run("'\(sandbox.program)' backup create --dir /proc/none --config '\(config)' < /dev/null")
            try hold(failed.status == 74, "\(failed)")
            let again = server.lines
            try hold(again.count == 4 && again[3].hasPrefix("POST /hc/abc/fail ") && again[3].contains("io:"), "\(again)")
        }
    }

    private func on(_ name: String, _ sandbox: Sandbox) -> SandboxNode {
        sandbox.layout.nodes.first { $0.name == name } ?? sandbox.layout.nodes[0]
    }

    /// What the leader's metric says, whoever leads.
    private func mismatch(_ value: String, through node: SandboxNode, _ sandbox: Sandbox) async throws {
        try await sandbox.wait("the mismatch metric to be \(value)", seconds: 30) {
            let leader = try await sandbox.rest(node).raft.leader_id
            let metrics = ClientProgram.run("metrics --node \(leader) --grep pgbastion_state_digest_mismatch", on: node, of: sandbox)
            return metrics.output.split(separator: "\n").contains {
                $0.hasPrefix("pgbastion_state_digest_mismatch") && $0.hasSuffix(" \(value)")
            }
        }
    }
}

/// Clients that change the cluster's metadata as fast as the API answers, each a value of its own that only grows.
private final class MetadataWriters: Sendable {
    private struct State {
        var last: [String: Int64] = [:]
        var total = 0
        var isStopped = false
        var tasks: [Task<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let clients: [HTTPOperationInvoker]
    private let name: NodeName
    private let count: Int

    init(_ sandbox: Sandbox, count: Int) throws {
        guard let name = NodeName("node1") else { throw ScenarioFailure("no name") }
        self.name = name
        self.count = count
        clients = sandbox.layout.nodes.map { sandbox.invoker($0) }
    }

    var total: Int { state.withLock { $0.total } }
    /// Of every writer the last value that was acknowledged.
    var acknowledged: [String: Int64] { state.withLock { $0.last } }

    func start() {
        for number in 0..<count {
            let task = Task { await write("writer-\(number)", clients[number % clients.count]) }
            state.withLock { $0.tasks.append(task) }
        }
    }

    func stop() async {
        let tasks = state.withLock { state in
            state.isStopped = true
            return state.tasks
        }
        for task in tasks { await task.value }
    }

    private func write(_ series: String, _ client: HTTPOperationInvoker) async {
        var window: Int64 = 0
        while !state.withLock({ $0.isStopped }) {
            window += 1
            guard let id = RequestID("\(series)-\(window)") else { return }
            do throws(BastionError) {
                _ = try await client.claim(BackupClaim(series: series, window: window, windowSeconds: 7, by: name), requestID: id)
                let done = window
                state.withLock { state in
                    state.last[series] = done
                    state.total += 1
                }
            } catch {}
        }
    }
}

/// Notes the requests that it gets, one a line: method, path, body.
private struct PingServer {
    let folder: String
    let port: Int
    private let pid: String

    init(_ folder: String) throws {
        self.folder = folder
        let started = Shell.run(
            """
            mkdir -p '\(folder)'; (exec python3 -c '
            import http.server, sys
            class Handler(http.server.BaseHTTPRequestHandler):
                def note(self):
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode().replace("\\n", " ")
                    with open(sys.argv[1] + "/log", "a") as log: log.write(self.command + " " + self.path + " " + body + "\\n")
                    self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"OK")
                do_GET = note
                do_POST = note
                def log_message(self, *words): pass
            server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
            with open(sys.argv[1] + "/port", "w") as file: file.write(str(server.server_port) + "\\n")
            server.serve_forever()
            ' '\(folder)' > /dev/null 2>&1 < /dev/null & echo $!)
            for i in $(seq 200); do [ -s '\(folder)/port' ] && exec cat '\(folder)/port'; sleep 0.05; done; exit 1
            """)
        let words = started.output.split(separator: "\n").map(String.init)
        guard started.status == 0, words.count == 2, let port = Int(words[1]) else { throw ScenarioFailure("no server: \(started)") }
        pid = words[0]
        self.port = port
    }

    var lines: [String] { Shell.text(folder + "/log").split(separator: "\n").map(String.init) }

    func stop() { _ = Shell.run("kill \(pid); rm -rf '\(folder)'") }
}
