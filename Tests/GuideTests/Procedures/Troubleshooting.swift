/// Troubleshooting and Log Analysis.
extension GuideCluster {
    func healthCheckFailures() throws {
        try formed()
        try makePrimary("node1")
        try run.block("Troubleshooting / Health Check Failures", 1) { block in
            // The distribution's unit is not what runs the server: it says so, with status 3. Then the two looks that count.
            // Without a port psql asks 5432, which is the proxy's here; the server has the port that pgbastion logged at start.
            let output = try block.run(on: first, as: "postgres", environment: ["PGPORT": "5434"])
            try hold(output.contains("\"healthy\": true"), "no healthy check: \(output)")
            try hold(output.contains("1 row"), output)
            block.note("PGPORT=5434, where the server listens beside the proxy")
        }
        // A replica whose server is stopped behind pgbastion's back says so (503), until it is started again.
        let third = lab["node3"]
        try third.succeed("pgbastion pause --reason guide")
        try third.succeed(
            "setpriv --reuid=postgres --regid=postgres --init-groups /usr/lib/postgresql/16/bin/pg_ctl stop -m fast -D /var/lib/postgresql/16/main"
        )
        try eventually("/health of node3 to be 503 with postgres_down", seconds: 30) {
            let output = try third.succeed("curl -s -w '%{http_code}' http://127.0.0.1:8080/health")
            return output.hasSuffix("503") && output.contains("postgres_down")
        }
        try third.succeed("pgbastion resume")
        try settled()
    }

    func noLeader() throws {
        try formed()
        try run.block("Troubleshooting / Raft Not Electing Leader", 1) { block in
            // grep finds no rule about the port, which is the good case: the pipeline's status is grep's.
            let output = try block.run(on: first, mayFail: true)
            try hold(output.contains("\"peers\""), output)
            let port = first.run("nc -zv 10.0.1.2 8300")
            try hold(port.status == 0, "the Raft port of node2 cannot be reached: \(port.errors)")
        }
        // The other case: the port is filtered in both directions, and the guide's looks show it.
        let third = lab["node3"]
        try third.succeed("iptables -A INPUT -i eth0 -p tcp --dport 8300 -j DROP; iptables -A OUTPUT -o eth0 -p tcp --dport 8300 -j DROP")
        try eventually("node3 to be without leader", seconds: 30) {
            try third.ask("/raft/state", "\"\\(.state) \\(.leader_id)\"").split(separator: " ").count == 1
        }
        let rules = try third.succeed("iptables -L -n | grep 8300")
        try hold(rules.contains("DROP"), rules)
        try third.succeed("iptables -F")
        try settled()
    }

    func splitBrain() throws {
        try formed()
        try makePrimary("node1")
        try run.block("Troubleshooting / Split-Brain Detection", 1) { block in
            let output = try block.run(on: first)
            try hold(output.contains("10.0.1.1:") && output.contains("\"split_brain\": false"), output)
            try hold(output.contains("failover initiated"), output)
        }
        try eventually("node2 to be the primary", seconds: 60) { try primary() == "node2" }
        try settled()
    }

    func vipNotAssigned() throws {
        try formed()
        // The address of the guide's example, on every machine, following the leader.
        for machine in lab.machines {
            try configure(machine, bootstrap: machine.name == "node1", extra: "vip:\n  address: 10.0.1.100/24\n  interface: eth0\n")
            try machine.succeed("systemctl restart pgbastion")
        }
        try settled()
        try run.block("Troubleshooting / VIP Not Assigned", 1) { block in
            try eventually("the address on the leader, and on nobody else", seconds: 40) {
                let leader = try leader()
                for machine in lab.machines {
                    let lines = try block.run(on: machine, mayFail: true).split(separator: "\n").map { String($0).trimmed }
                    let holds = lines.contains { $0.hasPrefix("inet 10.0.1.100/24") }
                    try hold(holds == (machine.name == leader), "\(machine.name), leader \(leader): \(lines)")
                    try hold(lines.first == "\"\(leader)\"" && lines.last == "\(machine.name == leader)", "\(machine.name): \(lines)")
                }
                return true
            }
        }
        let missing = lab[try leader() == "node1" ? "node2" : "node1"]
        try hold(try missing.ask("/health", ".vip_reason").contains("leader"), "no reason for not holding it")
    }

    func highLag() throws {
        try formed()
        try makePrimary("node1")
        try run.block("Troubleshooting / High Replication Lag", 1) { block in
            let output = try block.run(
                on: first, as: "postgres", environment: ["PGPORT": "5434", "PGHOST": "/var/run/postgresql", "PGDATABASE": "postgres"])
            for text in ["\"replication_slots\"", "node2", "node3", "slot_name", "streaming"] {
                try hold(output.contains(text), "no \(text): \(output)")
            }
            block.note("PGPORT=5434, where the server listens beside the proxy")
        }
    }

    func logPatterns() throws {
        try formed()
        // Something of each kind has to have happened on the machine whose journal is read.
        let machine = lab["node1"]
        try makeLeader("node1")
        try makeLeader("node2")
        try makePrimary("node1")
        try makePrimary("node3")
        let wrong = try machine.succeed("curl -s -X POST http://127.0.0.1:8080/cluster/pause -H 'Authorization: Bearer wrong'")
        try hold(wrong.contains("invalid token"), wrong)
        try machine.succeed("pgbastion pause --reason guide")
        try machine.succeed(
            "setpriv --reuid=postgres --regid=postgres --init-groups /usr/lib/postgresql/16/bin/pg_ctl stop -m fast -D /var/lib/postgresql/16/main"
        )
        try eventually("a failed health check in the journal", seconds: 20) { machine.journal.contains("health check failed") }
        try machine.succeed("pgbastion resume")
        try settled()
        try run.block("Log Analysis / Important Log Patterns", 1) { block in
            let output = try block.run(on: machine)
            for phrase in ["failover", "promote", "demote", "health check failed", "became leader", "lost leader", "invalid auth token"] {
                try hold(output.lowercased().contains(phrase), "the journal of node1 has no \"\(phrase)\"")
            }
            try hold(!output.contains("Bearer wrong"), "a token is in the log")
        }
    }

    func correlating() throws {
        try formed()
        try makePrimary("node1")
        try makeLeader("node2")
        // Received by node3, decided by node2, carried out by node1 and node3.
        let answer = try lab["node3"].succeed(
            "curl -s -X POST http://127.0.0.1:8080/cluster/switchover?wait=60s -H 'X-Request-ID: abc123' -H \"Authorization: Bearer \(GuideCluster.token)\" -d '{\"to\": \"node3\"}'"
        )
        try hold(answer.contains("operation_id"), answer)
        try settled()
        try run.block("Log Analysis / Correlating Events Across Nodes", 1) { block in
            for machine in lab.machines {
                let output = try block.run(on: machine)
                try hold(output.contains("request_id=abc123"), "nothing on \(machine.name)")
            }
        }
    }
}
