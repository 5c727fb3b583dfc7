/// Blue-Green Upgrade: a new cluster beside the old one follows it, and takes over.
extension GuideCluster {
    func blueGreen() throws {
        try formed()
        try makePrimary("node1")
        let new = lab["new-cluster"]
        try buildBeside(new)
        try write("blue", through: lab["node2"])
        try eventually("the row on the new cluster", seconds: 60) { try rows(on: new).contains("blue") }
        try run.block("Upgrading PGBastion / Blue-Green Upgrade (Zero Downtime)", 1) { block in
            let health = try block.run(2, on: first)
            try hold(health.contains("\"status\": \"ok\""), health)
            let replication = try block.run(3, on: first)
            try hold(replication.contains("\"streaming\": true") && replication.contains("\"primary\": null"), replication)
            block.note("1 and 4 are for the operator: `standby_cluster` in the new configuration; fence, wait, `standby promote`")
        }
        try cutOver(to: new)
        // 5. The old cluster is there as it was; here it comes back, since other tests want it.
        try new.succeed("systemctl stop pgbastion; kill \(guardPID)")
        try first.succeed("pgbastion node unfence node1 && pgbastion resume")
        try settled()
        try first.succeed(postgres("SELECT pg_drop_replication_slot('blue_green')"))
    }

    /// 1. Build the new cluster alongside the existing one: its first node follows the old primary.
    private func buildBeside(_ new: Machine) throws {
        try first.succeed("echo 'host replication replicator \(new.address)/32 scram-sha-256' >> /var/lib/postgresql/16/main/pg_hba.conf")
        try first.succeed(postgres("SELECT pg_reload_conf()"))
        try new.succeed(
            """
            install -d -o postgres -g postgres -m 0700 /var/lib/pgbastion/postgresql
            umask 077
            ssh node1 cat /var/lib/pgbastion/postgresql/secrets.json > /var/lib/pgbastion/postgresql/secrets.json
            chown postgres: /var/lib/pgbastion/postgresql/secrets.json
            """)
        let section = "standby_cluster:\n  host: \(first.address)\n  port: 5434\n  slot: blue_green\n"
        try configure(new, bootstrap: true, extra: section)
        try new.succeed("systemctl start pgbastion")
        try eventually("the new cluster to follow", seconds: 120) {
            try new.ask("/cluster/replication", ".replicas[0].streaming") == "true"
        }
    }

    /// 4. Switchover to the new cluster.
    private func cutOver(to new: Machine) throws {
        let written = try rows(on: first)
        for machine in [first, new] { try machine.succeed("pgbastion pause --reason cutover") }
        try first.succeed("pgbastion node fence node1 --yes")
        try new.succeed("pgbastion wait 'lag<=0' --timeout 60s")
        let promoted = try new.succeed("pgbastion standby promote --confirm main")
        try hold(promoted.contains("new-cluster is the primary"), promoted)
        try new.succeed("pgbastion resume")
        try write("green", through: new)
        try hold(try rows(on: new) == (written + ["green"]).sorted(), "rows are missing in the new cluster")
        try hold(try first.ask("/cluster/state", ".nodes[] | select(.name == \"node1\") | .fenced // .standing") != "ready", "not fenced")
    }

    /// A statement of the superuser on a machine, as a command of root.
    private func postgres(_ sql: String) -> String {
        "setpriv --reuid=postgres --regid=postgres --init-groups psql -h /var/run/postgresql -p 5434 -d postgres -qAtc \"\(sql)\""
    }
}
