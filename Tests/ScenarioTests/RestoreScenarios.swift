import Bastion
import ClusterModel
import Glibc
import Testing

extension ScenarioTests {
    /// Rows P15 to P19 and section 12 of backup-restore.md, on a real cluster.
    @Suite(.serialized, .cluster("restore", nodes: 3)) struct RestoreScenarios {}
}

extension ScenarioTests.RestoreScenarios {
    // MARK: Refusals

    @Test func `every refusal of restore --bootstrap has its exit code and leaves the tree byte-identical (B5, table 7_1)`() async throws {
        try await played("refusals") { sandbox in
            let site = try RestoreSite(sandbox)
            // The order of the table: each row passes what the rows before it check.
            try site.refused("latest", with: "config_invalid", 78, "--config \(site.folder)/none.yaml")
            try site.refused("latest", with: "node_running", 3, config: sandbox.layout.configuration(sandbox.layout.nodes[0]))
            let busy = Shell.run(
                "exec 9>'\(site.folder)/raft.restore.lock'; flock 9; \(site.command("latest", site.config, "--confirm sandbox"))")
            try hold(busy.status == 8 && busy.errors.contains("restore_in_progress"), "\(busy)")
            _ = Shell.run("rm -f '\(site.folder)/raft.restore.lock'")
            try site.refused("20200101T000000Z-e1-i1-00000000", with: "not_found", 10)
            try site.refused("\(site.folder)/backups/other.tar.gz", with: "unsupported_archive", 65)
            try site.refused("\(site.folder)/damaged/a.tar.gz", with: "integrity", 9)
            try site.refused("\(site.folder)/unsealed/a.tar.gz", with: "unsealed", 9)
            try site.refused(
                "latest", with: "cluster_name_mismatch", 3, config: try site.variant("name", "s/name: sandbox/name: another/"),
                name: "another",
                archive: site.archive)
            try site.refused("latest", with: "node_unknown", 3, config: try site.variant("node", "s/name: node1/name: nodex/"))
            try site.refused("latest", with: "cluster_alive", 3)
            try site.refused("\(site.folder)/unsealed/a.tar.gz", with: "cluster_alive", 3, "--override unsealed")
            try site.refused(
                "latest", with: "system_id_mismatch", 9, "--assume-dead",
                config: try site.variant("system", "s|data_dir: .*/data$|data_dir: \(site.folder)/foreign|"))
            try site.refused(
                "latest", with: "io", 74, "--assume-dead",
                config: try site.variant("full", "s|data_dir: .*/raft$|data_dir: \(site.folder)/locked/raft|"))
            try site.refused("latest", with: "", 3, "--assume-dead", name: "wrong")
            let silent = try site.unchanged { Shell.run(site.command("latest", site.config, "--assume-dead")) }
            try hold(silent.status == 64 && silent.errors.contains("--confirm NAME"), "\(silent)")
            let rehearsed = try site.unchanged { Shell.run(site.command("latest", site.config, "--assume-dead --dry-run")) }
            try hold(rehearsed.status == 2 && rehearsed.output.contains("epoch 1 -> new id, epoch 2, paused"), "\(rehearsed)")
            let undo = try site.unchanged { Shell.run("'\(sandbox.program)' restore --undo --confirm sandbox --config '\(site.config)'") }
            try hold(undo.status == 10, "\(undo)")
        }
    }

    @Test func `restore --to unpacks what was verified into a new directory, and into no other (GD5)`() async throws {
        try await played("unpacking") { sandbox in
            let site = try RestoreSite(sandbox)
            let to = site.folder + "/out"
            let result = Shell.run(
                "'\(sandbox.program)' restore latest --to '\(to)' --config '\(site.config)'; cd '\(to)' && sha256sum -c checksums.sha256")
            try hold(result.status == 0 && result.output.contains("state/fsm.json: OK"), "\(result)")
            let again = Shell.run("'\(sandbox.program)' restore latest --to '\(to)' --config '\(site.config)'")
            try hold(again.status == 3 && again.errors.contains("not_empty"), "\(again)")
            let damaged = Shell.run(
                "'\(sandbox.program)' restore '\(site.folder)/damaged/a.tar.gz' --to '\(site.folder)/no' --config '\(site.config)'")
            try hold(damaged.status == 9 && access(site.folder + "/no", F_OK) != 0, "\(damaged)")
        }
    }

    @Test func `a voter of a living cluster is neither reset nor recovered (B11, B12)`() async throws {
        try await played("a living cluster") { sandbox in
            let third = sandbox.layout.nodes[2]
            try await sandbox.stopDaemon(third)
            let reset = ClientProgram.run("node reset --confirm node3", on: third, of: sandbox)
            try hold(reset.status == 3 && reset.errors.contains("still_voter"), "\(reset)")
            let plan = try ClientProgram.json("raft recover", on: third, of: sandbox)
            try hold(try Shell.jq(".data.quorum_lost", plan) == "false", plan)
            let apply = ClientProgram.run("raft recover --apply --confirm sandbox", on: third, of: sandbox)
            try hold(apply.status == 3 && apply.errors.contains("quorum_exists"), "\(apply)")
            try sandbox.startDaemon(third)
            try await sandbox.settled()
        }
    }

    // MARK: ST11

    @Test func `an older copy of the Raft directory is moved aside, and the node rejoins by itself (ST11, P33)`() async throws {
        try await played("an older copy") { sandbox in
            let third = sandbox.layout.nodes[2]
            let raft = sandbox.layout.root(third) + "/raft"
            try await sandbox.stopDaemon(third)
            _ = Shell.run("cp -a '\(raft)' '\(raft).copy'")
            try sandbox.startDaemon(third)
            try await sandbox.settled()
            try await sandbox.stopDaemon(third)
            let put = Shell.run("rm -rf '\(raft)'/* && cp -a '\(raft).copy/.' '\(raft)/'")
            try hold(put.status == 0, "\(put)")
            try sandbox.startDaemon(third)
            try await sandbox.settled(seconds: 120)
            try hold(Shell.run("ls -d '\(raft)'.old-copy-*").status == 0, "the copy was not kept")
            _ = Shell.run("rm -rf '\(raft).copy'")
        }
    }

    // MARK: Complete loss

    @Test func `all consensus state is lost: restore, accept the primary, add the others; no PostgreSQL is restarted (B6, P17)`()
        async throws
    {
        try await played("complete loss") { sandbox in
            let nodes = sandbox.layout.nodes
            try await lengthenPause(sandbox)
            let made = try await moveToFirst(sandbox)
            let site = try RestoreSite(sandbox)
            try hold(ClientProgram.run("pause", on: nodes[0], of: sandbox).status == 0, "not paused")
            try await sandbox.lasts(.seconds(2))
            let servers = nodes.map { sandbox.postmasterPID($0) }
            for node in nodes { sandbox.signal(SIGKILL, .daemon, node) }
            // node3 keeps its old directory: a ghost of the former cluster.
            for node in nodes.prefix(2) { _ = Shell.run("rm -rf '\(sandbox.layout.root(node))/raft'") }
            let restored = Shell.run(
                "'\(sandbox.program)' restore '\(site.archive)' --bootstrap --confirm sandbox -o json --config '\(sandbox.layout.configuration(nodes[0]))'"
            )
            try hold(restored.status == 0, "\(restored)")
            try hold(try Shell.jq(".data.epoch", restored.output) == "\(made + 1)", restored.output)
            try sandbox.startDaemon(nodes[0])
            try await sandbox.wait("node1 to lead alone, paused", seconds: 60) {
                let now = try await sandbox.rest(nodes[0])
                return now.raft.leader_id == "node1" && now.raft.voters == 1 && now.paused.active
            }
            let late = ClientProgram.run("restore --undo --confirm sandbox", on: nodes[0], of: sandbox)
            try hold(late.status == 3, "\(late)")
            try hold(try await sandbox.rest(nodes[0]).primary?.phase != "serving", "a claim was taken for a fact")
            // The ghost is refused and changes nothing.
            try sandbox.startDaemon(nodes[2])
            try await sandbox.wait("node1 to refuse the ghost", seconds: 60) {
                Shell.run("grep -c 'belongs to cluster\\|foreign' '\(sandbox.layout.log(nodes[2]))' '\(sandbox.layout.log(nodes[0]))'")
                    .status == 0
            }
            try hold(try await sandbox.rest(nodes[0]).raft.voters == 1, "the ghost votes")
            let accepted = ClientProgram.run("resume --accept-primary node1 --yes", on: nodes[0], of: sandbox)
            try hold(accepted.status == 0, "\(accepted)")
            try await sandbox.wait("node1 to serve", seconds: 60) { try await sandbox.rest(nodes[0]).primary?.phase == "serving" }
            try hold(sandbox.postmasterPID(nodes[0]) == servers[0], "the primary's PostgreSQL was restarted")
            try await sandbox.stopDaemon(nodes[2])
            let reset = ClientProgram.run("node reset --confirm node3", on: nodes[2], of: sandbox)
            try hold(reset.status == 0, "\(reset)")
            for node in nodes.dropFirst() {
                try sandbox.startDaemon(node)
                try await added(node, through: nodes[0], sandbox)
            }
            try await sandbox.settled(seconds: 120)
            try hold(sandbox.postmasterPID(nodes[0]) == servers[0], "the primary's PostgreSQL was restarted")
        }
    }

    // MARK: Lost quorum

    @Test func `the majority is lost: one survivor goes on with what it has, and is not reset by mistake (P19, GD11, B12)`() async throws {
        try await played("lost quorum") { sandbox in
            let nodes = sandbox.layout.nodes
            _ = try await moveToFirst(sandbox)
            for node in nodes.dropFirst() { sandbox.killNode(node) }
            try await sandbox.stopDaemon(nodes[0])
            let plan = try ClientProgram.json("raft recover", on: nodes[0], of: sandbox)
            try hold(
                try Shell.jq(".data | [.quorum_lost, .apply_on, (.silent | join(\",\"))] | map(tostring) | join(\" \")", plan)
                    == "true node1 node2,node3", plan)
            let applied = ClientProgram.run("raft recover --apply --confirm sandbox", on: nodes[0], of: sandbox)
            try hold(applied.status == 0, "\(applied)")
            let reset = ClientProgram.run("node reset --confirm node1", on: nodes[0], of: sandbox)
            try hold(reset.status == 3 && reset.errors.contains("only_voter"), "\(reset)")
            let undone = ClientProgram.run("raft recover --undo --confirm sandbox", on: nodes[0], of: sandbox)
            try hold(undone.status == 0, "\(undone)")
            try hold(
                ClientProgram.run("raft recover --apply --confirm sandbox", on: nodes[0], of: sandbox).status == 0, "not applied again")
            try sandbox.startDaemon(nodes[0])
            try await sandbox.wait("node1 to lead alone, paused", seconds: 60) {
                let now = try await sandbox.rest(nodes[0])
                return now.raft.leader_id == "node1" && now.paused.active
            }
            let accepted = ClientProgram.run("resume --accept-primary node1 --yes", on: nodes[0], of: sandbox)
            try hold(accepted.status == 0, "\(accepted)")
            for node in nodes.dropFirst() {
                try hold(
                    ClientProgram.run("node reset --confirm \(node.name)", on: node, of: sandbox).status == 0, "\(node.name) was not reset")
                try sandbox.startDaemon(node)
                try await added(node, through: nodes[0], sandbox)
            }
            try await sandbox.settled(seconds: 120)
        }
    }

    // MARK: Help

    func played(_ name: String, _ body: (Sandbox) async throws -> Void) async throws {
        let cluster = try SuiteCluster.required()
        let sandbox = try await cluster.sandbox()
        do {
            try await sandbox.settled()
            try await body(sandbox)
        } catch {
            await cluster.noteFailure(name, error)
            throw error
        }
    }

    /// The epoch of the cluster; node1 is the primary when this returns.
    func moveToFirst(_ sandbox: Sandbox) async throws -> Int {
        if try await sandbox.primary().name != "node1" {
            let moved = ClientProgram.run("switchover --to node1 --yes", on: sandbox.layout.nodes[0], of: sandbox)
            try hold(moved.status == 0, "\(moved)")
            try await sandbox.settled()
        }
        let export = try ClientProgram.json("status", on: sandbox.layout.nodes[0], of: sandbox)
        return Int(try Shell.jq(".data.cluster.epoch // .cluster.epoch // 1", export)) ?? 1
    }

    /// Long enough that the guards keep PostgreSQL running while no daemon does.
    private func lengthenPause(_ sandbox: Sandbox) async throws {
        for node in sandbox.layout.nodes {
            _ = Shell.run("sed -i 's/pause_lease: 8s/pause_lease: 60s/' '\(sandbox.layout.configuration(node))'")
            try await sandbox.stopDaemon(node)
            try sandbox.startDaemon(node)
            try await sandbox.settled()
        }
    }

    func added(_ node: SandboxNode, through other: SandboxNode, _ sandbox: Sandbox) async throws {
        var last = ""
        try await sandbox.wait("\(node.name) to be added: \(last)", seconds: 60) {
            let result = ClientProgram.run("peer add \(node.name) 127.0.0.1:\(node.raftPort)", on: other, of: sandbox)
            last = "\(result)"
            return result.status == 0
        }
    }
}

/// A stopped node beside a running cluster: its configuration, and archives of every kind.
struct RestoreSite {
    let sandbox: Sandbox
    let folder: String
    let config: String
    let archive: String

    init(_ sandbox: Sandbox) throws {
        self.sandbox = sandbox
        let first = sandbox.layout.nodes[0]
        let folder = "\(sandbox.layout.directory)/site-\(UInt32.random(in: 1 ... .max))"
        self.folder = folder
        config = folder + "/config.yaml"
        let made = Shell.run(
            """
            mkdir -p '\(folder)/raft' '\(folder)/damaged' '\(folder)/unsealed' '\(folder)/foreign/global' '\(folder)/locked' \
            && '\(sandbox.program)' backup -o json --dir '\(folder)/backups' --config '\(sandbox.layout.configuration(first))' > /dev/null < /dev/null \
            && sed 's|data_dir: .*/raft$|data_dir: \(folder)/raft|' '\(sandbox.layout.configuration(first))' > '\(config)' \
            && printf 'backup:\\n  dir: \(folder)/backups\\n' >> '\(config)' \
            && cp "$(readlink -f '\(folder)/backups/latest.tar.gz')" '\(folder)/unsealed/a.tar.gz' \
            && cp '\(folder)/unsealed/a.tar.gz' '\(folder)/damaged/a.tar.gz' \
            && printf x | dd of='\(folder)/damaged/a.tar.gz' bs=1 seek=100 conv=notrunc status=none \
            && (cd '\(folder)/damaged' && sha256sum a.tar.gz > a.tar.gz.sha256) \
            && (cd '\(folder)' && echo hello > x && tar -czf backups/other.tar.gz x) \
            && printf 12345678 > '\(folder)/foreign/global/pg_control' && chmod 0500 '\(folder)/locked' \
            && readlink -f '\(folder)/backups/latest.tar.gz'
            """)
        try hold(made.status == 0, "\(made)")
        archive = made.output.trimmed
    }

    func variant(_ name: String, _ edit: String) throws -> String {
        let path = "\(folder)/\(name).yaml"
        let result = Shell.run("sed '\(edit)' '\(config)' > '\(path)'")
        try hold(result.status == 0, "\(result)")
        return path
    }

    func command(_ word: String, _ config: String, _ options: String) -> String {
        "'\(sandbox.program)' restore '\(word)' --bootstrap \(options.contains("--config") ? "" : "--config '\(config)'") \(options) < /dev/null"
    }

    /// - Parameter id: Of the check, or the error's code.
    func refused(
        _ word: String, with id: String, _ status: Int32, _ options: String = "", config: String? = nil, name: String = "sandbox",
        archive: String? = nil
    ) throws {
        let command = command(archive ?? word, config ?? self.config, "\(options) --confirm \(name) -o json")
        let result = try unchanged { Shell.run(command) }
        try hold(result.status == status, "\(id): exit \(result.status), not \(status): \(result)")
        let names = id == "config_invalid" ? "invalid_configuration" : id
        try hold(result.output.contains(names) || result.errors.contains(names), "\(id): \(result)")
    }

    /// Nothing below the site was made, removed or written.
    func unchanged(_ body: () -> Shell.Result) throws -> Shell.Result {
        let look =
            "cd '\(folder)' && find . -printf '%p %s %i %m %T@\\n' | sort && find . -type f -not -path './locked/*' | sort | xargs sha256sum"
        let before = Shell.run(look).output
        let result = body()
        try hold(Shell.run(look).output == before, "the tree changed: \(result)")
        return result
    }
}
