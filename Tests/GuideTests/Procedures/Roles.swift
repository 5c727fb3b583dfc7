/// Manual Failover, Graceful Switchover, Pausing Auto-Failover.
extension GuideCluster {
    func manualFailover() throws {
        try formed()
        try makePrimary("node3")
        try makeLeader("node1")
        try write("before the failover", through: first)
        try first.succeed("pgbastion pause --reason guide")
        // The machine's processes end at once: daemon, guard and PostgreSQL.
        let third = lab["node3"]
        try third.succeed(
            "echo 1 > /run/machine/unit.stopping; kill -9 $(cat /run/machine/unit.main) \(guardPID) $(head -1 /var/lib/postgresql/16/main/postmaster.pid)"
        )
        try run.block("Manual Failover", 1) { block in
            let output = try block.run(on: first)
            try hold(output.contains("failover initiated"), output)
            try hold(output.contains("\"operation\""), "the state shows no operation: \(output)")
        }
        try eventually("node2 to be the primary", seconds: 90) { try primary() == "node2" }
        try first.succeed("pgbastion resume")
        try third.succeed("systemctl start pgbastion")
        try settled()
        try eventually("the acknowledged row everywhere") {
            try lab.machines.allSatisfy { try rows(on: $0).contains("before the failover") }
        }
    }

    func switchover() throws {
        try formed()
        try makePrimary("node1")
        try write("before the switchover", through: lab["node3"])
        try run.block("Graceful Switchover", 1) { block in
            let replication = try block.run(1, on: first)
            try hold(replication.contains("\"streaming\": true"), replication)
            let answer = try block.run(2, on: first)
            try hold(answer.contains("switchover initiated"), answer)
            try eventually("node2 to be the primary") { try block.run(3, on: first).contains("\"primary\": \"node2\"") }
        }
        try settled()
        try hold(try rows(on: first).contains("before the switchover"), "an acknowledged row is lost")
    }

    func pauseAndResume() throws {
        try formed()
        try run.block("Pausing Auto-Failover", 1) { block in
            // One block with three calls: what `.paused` is between them is what the second one prints.
            let output = try block.run(on: first)
            try hold(output.contains("automatic failover paused") && output.contains("automatic failover resumed"), output)
            try hold(output.split(separator: "\n").contains("true"), ".paused was not true: \(output)")
        }
        for machine in lab.machines {
            try eventually(".paused to be false on \(machine.name)", seconds: 10) {
                try machine.ask("/cluster/state", ".paused") == "false"
            }
        }
    }
}
