import ConfigFiles
import Testing

@Suite struct ConfigurationOriginTests {
    @Test func `a value comes from its line, from another key, or is the default`() throws {
        let text = """
            node: {name: node1, address: 10.0.1.1, state_dir: /srv/p}
            postgresql:
              bin_dir: /usr/lib/postgresql/16/bin
              connect_dsn: host=/run/p port=6000
            log:
              level: debug
            """
        let loaded = try ConfigurationFile.parse(text: text)
        func origin(_ key: String) -> String { loaded.origin(of: key, file: "f.yaml").description }
        #expect(origin("log.level") == "f.yaml:6")
        #expect(origin("node.name") == "f.yaml:1")
        #expect(origin("raft.data_dir") == "from node.state_dir")
        #expect(origin("postgresql.port") == "from postgresql.connect_dsn")
        #expect(origin("metrics.bind_address") == "default")
        #expect(origin("log.format") == "default")
        #expect(loaded.isWritten("log.level") && !loaded.isWritten("log.format"))
    }

    @Test func `what concerns consensus, lease and failover is the cluster's; names, paths and tokens are the node's`() {
        let wide = ["cluster.name", "failover.primary_lease", "raft.election_timeout", "synchronous.mode"]
        let own = ["node.name", "api.port", "api.auth_token", "raft.data_dir", "postgresql.port", "backup.dir", "log.level"]
        #expect(wide.allSatisfy { ConfigurationEntry.isClusterWide($0) })
        #expect(own.allSatisfy { !ConfigurationEntry.isClusterWide($0) })
    }
}
