/// The blocks that put a copy of the Raft directory back: ST11, and decision 0018.
extension GuideCluster {
    /// An archive made by the guide's own script, under the name that the block uses.
    private func archive(_ name: String, on machine: Machine) throws {
        let script = try GuideText.block("Raft State Backup and Restore / Automated Backup Script", 1).text
        try machine.write(script, to: "/usr/local/bin/pgbastion-backup.sh", mode: "0755")
        try machine.succeed("rm -rf /tmp/20* /backup/pgbastion/20*")
        let output = try machine.succeed("/usr/local/bin/pgbastion-backup.sh")
        guard let made = output.trimmed.split(separator: " ").last else { throw GuideFailure("no archive: \(output)") }
        if made != "/backup/pgbastion/\(name)" { try machine.succeed("mv \(made) /backup/pgbastion/\(name)") }
    }

    /// A cluster of node1 alone, paused, with the state of before; the primary that it names is a claim.
    private func restoredAlone() throws {
        try eventually("node1 to lead a cluster of one, paused", seconds: 90) {
            try leader() == "node1" && first.ask("/raft/state", ".voters") == "1" && first.ask("/cluster/state", ".paused") == "true"
        }
        try hold(try first.ask("/cluster", ".routing_table.primary") == "null", "the claim of the copy was routed to")
        let log = try first.succeed("journalctl -u pgbastion | grep raft.recovered | tail -1")
        try hold(log.contains("its state goes on as cluster"), log)
    }

    /// What the log told the reader to do next.
    private func acceptAndAdd(_ machines: [Machine]) throws {
        try first.succeed("pgbastion resume --accept-primary node1 --yes")
        let present = try members()
        for machine in machines where !present.contains(machine.name) {
            try eventually("\(machine.name) to be added", seconds: 60) {
                try first.succeed("pgbastion peer add \(machine.name) \(machine.address)")
                return true
            }
        }
        try settled(seconds: 180)
    }

    func restoreAfterLoss() throws {
        try formed()
        try makePrimary("node1")
        try write("before the complete loss", through: first)
        try archive("20260217-020000.tar.gz", on: first)
        for machine in lab.machines {
            try machine.succeed(
                "systemctl stop pgbastion; rm -rf /var/lib/pgbastion/raft /var/lib/pgbastion/generation /var/lib/pgbastion/members.json")
        }
        let second = lab["node2"]
        try run.block("Raft State Backup and Restore / Scenario 2: Complete Cluster Loss (Restore from Backup)", 1) { block in
            try block.run(1, on: first)
            try block.run(2, on: first)
            let verified = try block.run(3, on: first)
            try hold(verified.contains("raft/raft.db: OK") && !verified.contains("FAILED"), verified)
            try block.run(4, on: first)
            try configure(first, bootstrap: true)
            try block.run(6, on: first)
            try restoredAlone()
            let state = try block.run(7, on: first)
            try hold(state.contains("\"state\": \"Leader\"") && state.contains("\"is_leader\": true"), state)
            try configure(second)
            try second.succeed("systemctl start pgbastion")
            let added = try block.run(8, on: first)
            try hold(added.contains("peer added"), added)
        }
        try eventually("node2 to be a voter", seconds: 60) {
            try first.ask("/raft/peers", ".peers[] | select(.id == \"node2\").voter") == "true"
        }
        let third = lab["node3"]
        try configure(third)
        try third.succeed("systemctl start pgbastion")
        try acceptAndAdd([third])
        try hold(try rows(on: first).contains("before the complete loss"), "an acknowledged row is lost")
    }

    func pointInTime() throws {
        try formed()
        try makePrimary("node1")
        try archive("20260215-020000.tar.gz", on: first)
        // What came after the copy was made is what the reader wants to be rid of.
        try first.succeed("pgbastion pause --reason later && pgbastion resume")
        let others = [lab["node2"], lab["node3"]]
        try run.block("Raft State Backup and Restore / Scenario 3: Point-in-Time Recovery", 1) { block in
            for machine in lab.machines { try block.run(1, on: machine) }
            let listed = try block.run(2, on: first)
            try hold(listed.contains("20260215-020000.tar.gz"), listed)
            try block.run(3, on: first)
            for machine in others { try block.run(4, on: machine) }
            try configure(first, bootstrap: true)
            try block.run(5, on: first)
            try restoredAlone()
        }
        for machine in others {
            try configure(machine)
            try machine.succeed("systemctl start pgbastion")
        }
        try acceptAndAdd(others)
    }

    func rollback() throws {
        try formed()
        try makePrimary("node1")
        let third = lab["node3"]
        try archive("latest.tar.gz", on: third)
        try third.succeed("cp /usr/local/bin/pgbastion /usr/local/bin/pgbastion.backup")
        try first.succeed("pgbastion pause --reason later && pgbastion resume")
        try run.block("Upgrading PGBastion / Rollback Procedure", 1) { block in
            for step in 1...4 { try block.run(step, on: third) }
            // The copy has forgotten votes and entries: it is kept aside, and the node rejoins by itself.
            try eventually("node3 to be taken back", seconds: 90) { try third.ask("/health", ".status") == "ok" }
            let health = try block.run(5, on: third)
            try hold(health.contains("\"status\": \"ok\""), health)
        }
        try third.succeed("ls -d /var/lib/pgbastion/raft.old-copy-*")
        try settled()
    }
}
