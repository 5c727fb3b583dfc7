/// The two configuration blocks of the operations guide, word for word.
enum GuideExamples {
    static let firstNode = """
        version: 1
        node:
          name: node1
          address: 10.0.1.1

        raft:
          data_dir: /var/lib/pgbastion/raft
          bind_port: 8300
          bootstrap: true  # ONLY on first node

        proxy:
          primary_port: 5432
          replica_port: 5433

        api:
          port: 8080
          bind_address: 127.0.0.1
          auth_token: "your-secure-token-here"

        postgresql:
          bin_dir: /usr/lib/postgresql/16/bin
          data_dir: /var/lib/postgresql/16/main
          connect_dsn: "host=/var/run/postgresql dbname=postgres"

        """

    static let secondNode = """
        version: 1
        node:
          name: node2
          address: 10.0.1.2

        raft:
          data_dir: /var/lib/pgbastion/raft
          bind_port: 8300
          bootstrap: false  # Not a bootstrap node

        # ... rest of config same as node1

        """

    /// The least a file needs.
    static let minimal = "node: {name: node1, address: 10.0.1.1}\n"
}
