import ClusterModel
import PostgresControl

/// How clients reach a sandbox's PostgreSQL.
extension Sandbox {
    /// The superuser over the node's own unix socket; for a process of the service user.
    package func adminConnection(_ node: SandboxNode) -> String {
        "host=\(layout.runDirectory(node)) port=\(node.postgresPort) user=postgres dbname=postgres connect_timeout=3"
    }

    /// A client through the proxy of one node.
    package func clientConnection(_ node: SandboxNode, replica: Bool = false) -> String {
        clientConnection([node], replica: replica)
    }

    /// A client that tries the proxies of several nodes in order.
    package func clientConnection(_ nodes: [SandboxNode], replica: Bool = false) -> String {
        let hosts = nodes.map { _ in "127.0.0.1" }.joined(separator: ",")
        let ports = nodes.map { "\(replica ? $0.replicaPort : $0.primaryPort)" }.joined(separator: ",")
        return "host=\(hosts) port=\(ports) user=app password=app dbname=postgres connect_timeout=3 sslmode=disable"
    }

    /// A role `app` and the probe's table, made on the present primary.
    package func prepareClients() async throws(BastionError) {
        let primary = try await primary()
        let sql = """
            DO $$ BEGIN
              IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN CREATE ROLE app LOGIN PASSWORD 'app'; END IF;
            END $$;
            CREATE TABLE IF NOT EXISTS \(CommitProbe.table) (id bigint PRIMARY KEY);
            GRANT ALL ON \(CommitProbe.table) TO app;
            """
        _ = try SimpleQuery.column(sql, on: adminConnection(primary))
    }

    /// What a person needs to know to use the sandbox.
    package var guide: String {
        let rows = layout.nodes.map { node in
            "  \(node.name)  api http://127.0.0.1:\(node.apiPort)  writes port \(node.primaryPort)  reads port \(node.replicaPort)  PostgreSQL \(node.postgresPort)"
        }
        let first = layout.nodes.first
        let port = first.map { "\($0.primaryPort)" } ?? ""
        let configuration = first.map { layout.configuration($0) } ?? ""
        return """
            the sandbox runs in \(layout.directory)
            \(rows.joined(separator: "\n"))
            try:
              psql "host=127.0.0.1 port=\(port) user=app password=app dbname=postgres"
              pgbastion status --config \(configuration)
              curl -s http://127.0.0.1:\(first.map { "\($0.apiPort)" } ?? "")/cluster/state
              API token: \(layout.token)
            """
    }
}
