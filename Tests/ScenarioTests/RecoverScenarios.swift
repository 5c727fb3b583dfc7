import Bastion
import ClusterModel
import Glibc
import Testing

extension ScenarioTests {
    /// Section 9 of backup-restore.md with more than one survivor.
    @Suite(.serialized, .cluster("recover", nodes: 5)) struct RecoverScenarios {}
}

extension ScenarioTests.RecoverScenarios {
    @Test func `of two survivors of five only the more advanced one is proposed; with a live majority both refuse (B11, rows 10 and 11)`()
        async throws
    {
        let cluster = try SuiteCluster.required()
        let sandbox = try await cluster.sandbox()
        do {
            try await survive(sandbox)
            // The majority of the first cluster is gone: the next scenario gets a new one.
        } catch {
            await cluster.noteFailure("survivors", error)
            throw error
        }
    }

    private func survive(_ sandbox: Sandbox) async throws {
        let nodes = sandbox.layout.nodes
        let (first, second) = (nodes[0], nodes[1])
        let folder = sandbox.layout.directory + "/survivors"
        try await sandbox.settled()
        let made = try ClientProgram.json("backup create --dir '\(folder)/backups'", on: first, of: sandbox)
        let archive = try Shell.jq(".data.path", made)
        // node1 stops first, so that node2 knows more.
        try await sandbox.stopDaemon(first)
        try hold(ClientProgram.run("pause --reason more", on: second, of: sandbox).status == 0, "not paused")
        try await sandbox.stopDaemon(second)
        for node in [first, second] {
            let plan = try ClientProgram.json("raft recover", on: node, of: sandbox)
            try hold(try Shell.jq(".data.quorum_lost", plan) == "false", plan)
            try refused("raft recover --apply", with: "quorum_exists", on: node, sandbox)
            try refused("restore '\(archive)' --bootstrap", with: "cluster_alive", on: node, sandbox)
        }
        for node in nodes.dropFirst(2) { sandbox.killNode(node) }
        for node in [first, second] {
            let plan = try ClientProgram.json("raft recover", on: node, of: sandbox)
            try hold(try Shell.jq(".data.quorum_lost", plan) == "true", plan)
            try hold(Shell.run("cat > '\(folder)/\(node.name).json' <<< '\(plan)'").status == 0, "not written")
        }
        // Each alone would propose itself; merged, both name node2.
        for (node, other) in [(first, second), (second, first)] {
            let merged = try ClientProgram.json("raft recover --with '\(folder)/\(other.name).json'", on: node, of: sandbox)
            try hold(
                try Shell.jq(".data | [.apply_on, (.nodes | length)] | map(tostring) | join(\" \")", merged) == "node2 2", merged)
        }
        try refused("raft recover --apply --with '\(folder)/node2.json'", with: "not_most_advanced", on: first, sandbox)
        _ = Shell.run(
            "jq -c '.data.nodes[].cluster_id = \"00000000000000000000000000000001\"' '\(folder)/node1.json' > '\(folder)/foreign.json'")
        try refused("raft recover --with '\(folder)/foreign.json'", with: "cluster_mismatch", on: second, sandbox)
        try refused("raft recover --with '\(folder)/none.json'", with: "none.json", 10, on: second, sandbox)
        _ = Shell.run("echo '{}' > '\(folder)/empty.json'")
        try refused("raft recover --with '\(folder)/empty.json'", with: "no plan", 65, on: second, sandbox)
        try await runningMember(archive, first, second, sandbox)
        try killed(second, sandbox)
        let unsure = ClientProgram.run("raft recover --apply", on: second, of: sandbox)
        try hold(unsure.status == 64 && unsure.errors.contains("--confirm"), "\(unsure)")
        let mistyped = ClientProgram.run("raft recover --apply --confirm other", on: second, of: sandbox)
        try hold(mistyped.status == 3, "\(mistyped)")
        let applied = ClientProgram.run("raft recover --apply --with '\(folder)/node1.json' --confirm sandbox", on: second, of: sandbox)
        try hold(applied.status == 0, "\(applied)")
        try sandbox.startDaemon(second)
        try await sandbox.wait("node2 to lead alone, paused", seconds: 60) {
            let now = try await sandbox.rest(second)
            return now.raft.leader_id == "node2" && now.raft.voters == 1 && now.paused.active
        }
        try purged(first, sandbox)
    }

    /// Row 11 of 7.1, and the same refusal of section 9: another member runs, without a leader.
    private func runningMember(_ archive: String, _ first: SandboxNode, _ second: SandboxNode, _ sandbox: Sandbox) async throws {
        try sandbox.startDaemon(first)
        try await sandbox.wait("node1's daemon to answer", seconds: 60) {
            // Carried out it would not be refused before the member answers.
            ClientProgram.run("restore '\(archive)' --bootstrap --dry-run", on: second, of: sandbox).errors.contains("member_running")
        }
        try refused("restore '\(archive)' --bootstrap", with: "member_running", on: second, sandbox)
        // Nobody leads who could take a node back.
        try refused("node rejoin node3 127.0.0.1:\(sandbox.layout.nodes[2].raftPort)", with: "raft recover", 5, on: first, sandbox)
        let dead = ClientProgram.run("restore '\(archive)' --bootstrap --assume-dead --dry-run", on: second, of: sandbox)
        try hold(dead.status == 2 && "\(dead)".contains("members that run are ignored: node1"), "\(dead)")
        try refused("raft recover --apply", with: "member_running", on: second, sandbox)
        try await sandbox.stopDaemon(first)
    }

    /// C2 for section 9: killed in front of any call, the directory is the old or the new one, and both ways work.
    private func killed(_ node: SandboxNode, _ sandbox: Sandbox) throws {
        let faults = try FaultInjection()
        defer { faults.remove() }
        let root = sandbox.layout.root(node)
        let saved = sandbox.layout.directory + "/survivors/saved"
        let command = "'\(sandbox.program)' raft recover"
        let options = "--confirm sandbox --config '\(sandbox.layout.configuration(node))'"
        let renewed = "rm -rf '\(root)/raft' '\(root)/raft.'* && cp -a '\(saved)' '\(root)/raft'"
        try hold(Shell.run("cp -a '\(root)/raft' '\(saved)'").status == 0, "not saved")
        let count = try faults.sweep(command + " --apply " + options, below: root, .killed, prepare: renewed) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            try hold(result.status == 137, what)
            let isNew = access(root + "/raft/RESTORED.json", F_OK) == 0
            let again = Shell.run("\(command) \(isNew ? "--undo" : "--apply") \(options) < /dev/null")
            try hold(again.status == 0, "\(again): \(what)")
            try hold(isNew == (access(root + "/raft/RESTORED.json", F_OK) != 0), "\(again): \(what)")
        }
        Report.line("recover: killed \(count) times")
        try hold(count >= 10, "killed only \(count) times")
        try hold(Shell.run(renewed).status == 0, "not put back")
    }

    /// `node reset --purge-older`: what earlier resets and undone restores kept goes, what a restore kept stays.
    private func purged(_ node: SandboxNode, _ sandbox: Sandbox) throws {
        let raft = sandbox.layout.root(node) + "/raft"
        let old = ["reset", "undone", "old-copy", "pre-restore", "pre-recover"].map { "\(raft).\($0)-20200101T000000Z" }
        let young = "\(raft).reset-20990101T000000Z"
        _ = Shell.run("mkdir " + (old + [young]).map { "'\($0)'" }.joined(separator: " "))
        let rehearsed = ClientProgram.run("node reset --purge-older 30d --dry-run", on: node, of: sandbox)
        try hold(rehearsed.output.contains("would remove \(old[0])") && access(old[0], F_OK) == 0, "\(rehearsed)")
        let reset = ClientProgram.run("node reset --purge-older 30d --confirm node1", on: node, of: sandbox)
        try hold(reset.status == 0, "\(reset)")
        for path in old.prefix(3) { try hold(access(path, F_OK) != 0, "\(path) is still there: \(reset)") }
        for path in old.dropFirst(3) + [young] { try hold(access(path, F_OK) == 0, "\(path) was removed: \(reset)") }
        try hold(Shell.run("ls -d '\(raft)'.reset-20[23]*").status == 0, "the directory of today was not kept")
        // An empty directory: nothing to move, old ones still go.
        _ = Shell.run("mkdir '\(old[0])'")
        let again = ClientProgram.run("node reset --purge-older 30d --confirm node1", on: node, of: sandbox)
        try hold(again.status == 0 && again.output.contains("nothing to do") && access(old[0], F_OK) != 0, "\(again)")
    }

    private func refused(_ command: String, with id: String, _ status: Int32 = 3, on node: SandboxNode, _ sandbox: Sandbox) throws {
        let confirmed = command.contains("--apply") || command.contains("--bootstrap") ? command + " --confirm sandbox" : command
        let result = ClientProgram.run(confirmed, on: node, of: sandbox)
        try hold(result.status == status && result.errors.contains(id), "\(command): not \(id) (\(status)): \(result)")
    }
}
