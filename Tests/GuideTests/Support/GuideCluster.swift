/// The cluster of the guide on the lab's machines, and what its reader knows of it.
struct GuideCluster: Sendable {
    /// The token in the guide's configuration.
    static let token = "your-secure-token-here"

    let lab: Lab
    let run: GuideRun

    var first: Machine { lab["node1"] }

    /// For a script of a machine: the process id of its guard.
    var guardPID: String { "$(pgrep -f '^/usr/local/bin/pgbastion guard')" }

    // MARK: Configuration

    /// The configuration of the guide's first block, for a machine.
    func configuration(_ machine: Machine, bootstrap: Bool = false, name: String? = nil, extra: String = "") throws -> String {
        let block = try GuideText.block("Cluster Bootstrap / First Node (Bootstrap)", 1)
        let lines = block.text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let from = lines.firstIndex(where: { $0.hasPrefix("version:") }), let to = lines.firstIndex(of: "EOF") else {
            throw GuideFailure("the guide's first block has no configuration")
        }
        var text = lines[from..<to].joined(separator: "\n") + "\n"
        text.replace("name: node1", with: "name: \(name ?? machine.name)")
        text.replace("address: 10.0.1.1", with: "address: \(machine.address)")
        text.replace("bootstrap: true  # ONLY on first node", with: "bootstrap: \(bootstrap)")
        // GD1: the guide asks other machines' API by their names.
        text.replace("bind_address: 127.0.0.1", with: "bind_address: [127.0.0.1, \(machine.address)]")
        return text + extra
    }

    /// Writes a machine's configuration and starts its daemon.
    func configure(_ machine: Machine, bootstrap: Bool = false, name: String? = nil, extra: String = "") throws {
        let text = try configuration(machine, bootstrap: bootstrap, name: name, extra: extra)
        try machine.write(text, to: "/etc/pgbastion/pgbastion.yaml", mode: "0640")
        try machine.succeed("chgrp postgres /etc/pgbastion/pgbastion.yaml")
    }

    // MARK: What is so

    /// Name of the primary, as a machine's API tells it; "null" when there is none.
    func primary(_ machine: Machine? = nil) throws -> String { try (machine ?? first).ask("/cluster/state", ".primary") }
    func leader(_ machine: Machine? = nil) throws -> String { try (machine ?? first).ask("/raft/state", ".leader_id") }

    /// The machines whose daemons are members now, seen from one of them.
    func members(_ machine: Machine? = nil) throws -> [String] {
        try (machine ?? first).ask("/raft/peers", ".peers[].id").split(separator: "\n").map(String.init)
    }

    /// Waits until these machines form one healthy cluster: voters, one primary, replicas that stream, nothing in progress.
    func settled(_ names: [String] = ["node1", "node2", "node3"], seconds: Int = 120) throws {
        try eventually("the cluster of \(names) to be healthy", seconds: seconds) {
            for name in names {
                let machine = lab[name]
                try hold(machine.ask("/health", ".status") == "ok", "\(name): \(machine.ask("/health", "tostring"))")
                try hold(
                    machine.ask("/raft/peers", "[.peers[] | select(.voter and .reachable)] | length") == "\(names.count)",
                    "voters at \(name)")
                try hold(machine.ask("/cluster/state", ".operation") == "null", "an operation runs")
                let streaming = try machine.ask("/cluster/replication", "[.replicas[] | select(.streaming)] | length")
                try hold(streaming == "\(names.count - 1)", "\(streaming) replicas stream, seen from \(name)")
                // Until the synchronous set is settled nobody may replace a dead primary (SE9).
                let synchronous = try machine.succeed("pgbastion status -o json | jq -c '.data.synchronous | [.mode, .degraded]'").trimmed
                let settled = synchronous == "[\"quorum\",false]" || names.count < 3 && synchronous.hasSuffix(",false]")
                try hold(settled, "synchronous replication, seen from \(name): \(synchronous)")
            }
            return true
        }
    }

    /// Three healthy machines, whatever the test before left: daemons are started, and who is no member is added.
    func formed() throws {
        for machine in lab.machines { try machine.succeed("systemctl start pgbastion") }
        if try first.ask("/cluster/state", ".paused") == "true" { try first.succeed("pgbastion resume") }
        let present = try members()
        for machine in lab.machines where !present.contains(machine.name) {
            try eventually("\(machine.name) to be added", seconds: 30) {
                try first.succeed("pgbastion peer add \(machine.name) \(machine.address)")
                return true
            }
        }
        try settled()
    }

    /// Moves the primary to a machine when it is elsewhere.
    func makePrimary(_ name: String, members: [String] = ["node1", "node2", "node3"]) throws {
        guard try primary(lab[members[0]]) != name else { return }
        try lab[members[0]].succeed("pgbastion switchover --to \(name) --yes")
        try settled(members)
    }

    /// Moves the leadership to a machine when it is elsewhere.
    func makeLeader(_ name: String) throws {
        try eventually("\(name) to lead", seconds: 30) {
            if try leader() == name { return true }
            _ = first.run("pgbastion raft transfer \(name) --yes")
            return try leader() == name
        }
    }

    // MARK: Rows

    /// Writes a row through a machine's proxy on the primary port; it is acknowledged when this returns.
    func write(_ value: String, through machine: Machine) throws {
        try eventually("a row written through \(machine.name)", seconds: 60) {
            let result = machine.run(
                "PGPASSWORD=guide psql -h 127.0.0.1 -p 5432 -U guide -d postgres -qAtc \"INSERT INTO guide VALUES ('\(value)') ON CONFLICT DO NOTHING\""
            )
            try hold(result.status == 0, result.errors)
            return true
        }
    }

    func rows(on machine: Machine) throws -> [String] {
        let result = machine.run(
            "psql -h /var/run/postgresql -p 5434 -d postgres -qAtc 'SELECT value FROM guide ORDER BY 1'", as: "postgres")
        try hold(result.status == 0, result.errors)
        return result.output.split(separator: "\n").map(String.init)
    }

    /// The table of the rows above, and a role that applications use.
    func prepareRows() throws {
        // What an operator adds for applications; a clone takes it over.
        try first.succeed("echo 'host all guide samenet scram-sha-256' >> /var/lib/postgresql/16/main/pg_hba.conf")
        let sql =
            "SELECT pg_reload_conf(); CREATE ROLE guide LOGIN PASSWORD 'guide'; CREATE TABLE guide (value text PRIMARY KEY); GRANT ALL ON guide TO guide"
        let name = try primary()
        try lab[name].succeed(
            "setpriv --reuid=postgres --regid=postgres --init-groups psql -h /var/run/postgresql -p 5434 -d postgres -qc \"\(sql)\"")
    }
}
