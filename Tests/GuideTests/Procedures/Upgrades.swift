/// Upgrading PGBastion.
extension GuideCluster {
    func rollingUpgrade() throws {
        try formed()
        let script = try GuideText.block("Raft State Backup and Restore / Automated Backup Script", 1).text
        for machine in lab.machines { try machine.write(script, to: "/usr/local/bin/pgbastion-backup.sh", mode: "0755") }
        // The guide's loop takes node2 and node3 for the replicas, so the leader is node1.
        try makePrimary("node2")
        try makeLeader("node1")
        try run.block("Upgrading PGBastion / Pre-Upgrade Checklist", 1) { block in
            let versions = try block.run(1, on: first)
            try hold(versions.split(separator: "\n").count == 3 && versions.contains("node3: pgbastion "), versions)
            let backups = try block.run(3, on: first)
            try hold(backups.split(separator: "\n").filter { $0.hasPrefix("Backup completed: ") }.count == 3, backups)
            let health = try block.run(4, on: first)
            try hold(health.contains("\"status\": \"ok\"") && health.contains("\"voter\": true"), health)
            let directives = try block.run(5, on: first)
            try hold(directives.contains("\"directives\""), directives)
        }
        let before = try postmasters()
        let primaryBefore = try primary()
        try makeLeader("node1")
        try run.block("Upgrading PGBastion / Rolling Upgrade (Recommended)", 1) { block in
            // The block is one script: its variables go from step to step.
            let script = try [1, 2, 3, 4, 5].map { try block.text($0) }.joined(separator: "\n")
            let result = first.run("cd /root; " + script, environment: ["AUTH_TOKEN": GuideCluster.token], limit: .seconds(240))
            try hold(result.status == 0, "\(result.output) \(result.errors)")
            let lines = result.output.split(separator: "\n")
            try hold(lines.contains("Current leader: node1"), result.output)
            try hold(lines.filter { $0 == "\"ok\"" }.count == 2, "a node is not ok after its restart: \(result.output)")
            try hold(lines.filter { $0 == "3" }.count == 2, "not three peers: \(result.output)")
            try hold(lines.contains { $0.hasPrefix("New leader: node") && $0 != "New leader: node1" }, result.output)
        }
        try settled()
        try hold(try postmasters() == before, "PostgreSQL was restarted")
        try hold(try primary() == primaryBefore, "the primary moved")
    }

    private func postmasters() throws -> [String] {
        try lab.machines.map { try $0.succeed("head -1 /var/lib/postgresql/16/main/postmaster.pid").trimmed }
    }

    func containers() throws {
        try formed()
        try makePrimary("node1")
        let third = lab["node3"]
        // In a container process 1 starts everything: the guard and the server of the unit end first.
        try third.succeed(
            "systemctl stop pgbastion; kill \(guardPID); while [ -n \"\(guardPID)\" ]; do sleep 0.1; done; docker run -d --name pgbastion")
        try settled()
        try run.block("Upgrading PGBastion / Docker/Container Upgrades", 1) { block in
            try block.run(1, on: third)
            try block.run(3, on: third)
            block.note("docker is a stand-in: a process tree whose process 1 is the daemon, volumes are directories")
        }
        try settled()
        try third.succeed("docker stop pgbastion; docker rm pgbastion; systemctl start pgbastion")
        try settled()
    }

    func postUpgrade() throws {
        try formed()
        try makePrimary("node1")
        try run.block("Upgrading PGBastion / Post-Upgrade Verification", 1) { block in
            for machine in lab.machines {
                let version = try block.run(1, on: machine)
                try hold(version.split(separator: ".").count == 3, version)
            }
            try hold(try block.run(2, on: first).contains("\"peers\""), "no peers")
            let state = try block.run(3, on: first)
            try hold(state.contains("\"primary\": \"node1\"") && state.contains("\"streaming\": true"), state)
            let answer = try block.run(4, on: first)
            try hold(answer.contains("switchover initiated"), answer)
            try eventually("node2 to be the primary") { try primary() == "node2" }
            for machine in lab.machines {
                try hold(try block.run(5, on: machine).contains("pgbastion_raft_is_leader"), "no metrics on \(machine.name)")
            }
        }
        try settled()
    }
}
