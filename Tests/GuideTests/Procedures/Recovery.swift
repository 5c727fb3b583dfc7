/// Raft State Backup and Restore, Disaster Recovery.
extension GuideCluster {
    func filesystemBackup() throws {
        try formed()
        let second = lab["node2"]
        let server = try second.succeed("head -1 /var/lib/postgresql/16/main/postmaster.pid")
        try run.block("Raft State Backup and Restore / Option 1: Filesystem Backup (Recommended)", 1) { block in
            let output = try block.run(on: second)
            for file in ["raft.db", "stable.db", "snapshots"] { try hold(output.contains(file), output) }
        }
        try settled()
        try hold(try second.succeed("head -1 /var/lib/postgresql/16/main/postmaster.pid") == server, "PostgreSQL was restarted")
        // The copy of a stopped daemon is complete: nothing of the databases is left in a journal beside them (ST10).
        let journals = second.run("find /backup/pgbastion -name '*-wal' -size +0").output
        try hold(journals.isEmpty, journals)
    }

    func liveBackup() throws {
        try formed()
        try first.succeed("pgbastion raft snapshot")
        try run.block("Raft State Backup and Restore / Option 2: Live Backup (Using Snapshots)", 1) { block in
            try block.run(on: first)
        }
        let copied = try first.succeed("ls -d /backup/pgbastion/*/snapshot/* | head -5; ls /backup/pgbastion/*/pgbastion.yaml")
        try hold(copied.contains("/snapshot/"), copied)
    }

    func backupScript() throws {
        try formed()
        let second = lab["node2"]
        try run.block("Raft State Backup and Restore / Automated Backup Script", 1) { block in
            try second.write(try block.text(), to: "/usr/local/bin/pgbastion-backup.sh", mode: "0755")
            let output = try second.succeed("/usr/local/bin/pgbastion-backup.sh")
            try hold(output.hasPrefix("Backup completed: /backup/pgbastion/"), output)
        }
        try run.block("Raft State Backup and Restore / Automated Backup Script", 2) { block in
            // The line of the crontab: five fields, the user, the command.
            let fields = try block.text().split(separator: "\n").last?.split(separator: " ", maxSplits: 6).map(String.init) ?? []
            try hold(fields.count == 7 && fields[5] == "root", "\(fields)")
            try second.succeed(fields[6])
            let log = try second.succeed("cat /var/log/pgbastion-backup.log")
            try hold(log.contains("Backup completed"), log)
        }
        let archives = try second.succeed(
            "ls /backup/pgbastion/*.tar.gz && for a in /backup/pgbastion/*.tar.gz; do tar -tzf $a >/dev/null || exit 1; done")
        try hold(!archives.isEmpty, "no archive")
    }

    func restoreOneNode() throws {
        try formed()
        try makePrimary("node1")
        try makeLeader("node2")
        let third = lab["node3"]
        try third.succeed("systemctl stop pgbastion")
        try first.succeed("pgbastion peer remove node3 --yes")
        try run.block("Raft State Backup and Restore / Scenario 1: Single Node Recovery (Cluster Still Healthy)", 1) { block in
            try block.run(1, on: third)
            try configure(third, name: "recovered-node")
            try block.run(3, on: third)
            for machine in lab.machines { try machine.succeed("grep -q leader /etc/hosts || echo '10.0.1.2 leader' >> /etc/hosts") }
            let output = try block.run(4, on: third)
            try hold(output.contains("peer added"), output)
        }
        try eventually("recovered-node to be a voter that streams", seconds: 120) {
            try first.ask("/raft/peers", ".peers[] | select(.id == \"recovered-node\").voter") == "true"
                && first.ask("/cluster/replication", ".replicas[] | select(.name == \"recovered-node\").streaming") == "true"
        }
        // Back to the names of the guide.
        try third.succeed("systemctl stop pgbastion; rm -rf /var/lib/pgbastion/raft")
        try first.succeed("pgbastion peer remove recovered-node --yes")
        try configure(third)
        try third.succeed("systemctl start pgbastion")
        try first.succeed("pgbastion peer add node3 10.0.1.3")
        try settled()
    }

    func lostQuorum() throws {
        try formed()
        try makePrimary("node1")
        try write("before the loss", through: first)
        let others = [lab["node2"], lab["node3"]]
        for machine in others {
            try machine.succeed(
                "echo 1 > /run/machine/unit.stopping; kill -9 $(cat /run/machine/unit.main) \(guardPID) $(head -1 /var/lib/postgresql/16/main/postmaster.pid)"
            )
        }
        try eventually("node1 to know that there is no quorum", seconds: 30) { try first.ask("/raft/state", ".leader_id").isEmpty }
        try run.block("Disaster Recovery / Scenario: Lost Quorum (Majority of nodes down)", 1) { block in
            for machine in lab.machines { try block.run(1, on: machine) }
            try configure(first, bootstrap: true)
            for machine in lab.machines { try block.run(3, on: machine) }
            try block.run(4, on: first)
            try eventually("node1 to lead a cluster of one with itself as primary", seconds: 60) {
                try leader() == "node1" && primary() == "node1" && first.ask("/health", ".status") == "ok"
            }
            for machine in others {
                try configure(machine)
                try machine.succeed("systemctl start pgbastion")
                let body =
                    "-H \"Authorization: Bearer $AUTH_TOKEN\" -d '{\"id\": \"\(machine.name)\", \"address\": \"\(machine.address):8300\"}'"
                let answer = try block.run(5, on: first, substituting: [GuideRun.Substitution(text: "...", replacement: body)])
                try hold(answer.contains("peer added"), answer)
            }
        }
        try settled(seconds: 180)
        for machine in lab.machines {
            try eventually("the acknowledged row on \(machine.name)", seconds: 30) { try rows(on: machine).contains("before the loss") }
        }
    }

    func primaryCorruption() throws {
        try formed()
        try makePrimary("node1")
        try write("before the corruption", through: lab["node3"])
        try run.block("Disaster Recovery / Scenario: Primary Data Corruption", 1) { block in
            try block.run(1, on: first)
            let failover = try block.run(2, on: first)
            try hold(failover.contains("failover initiated"), failover)
            try eventually("node2 to be the primary", seconds: 60) {
                try primary() == "node2" && first.ask("/cluster/state", ".operation") == "null"
            }
            let answer = try block.run(3, on: first)
            try hold(answer.contains("reinitialization started"), answer)
            try block.run(4, on: first)
        }
        try settled(seconds: 180)
        try hold(try rows(on: first).contains("before the corruption"), "an acknowledged row is lost")
    }
}
