import ClusterModel
import Testing

@testable import ConfigFiles

/// The keys of the guide, rows K01 to K15 of the acceptance table.
@Suite struct ConfigurationKeyTests {
    @Test func `both blocks of the guide load verbatim`() throws {
        let first = try loaded(GuideExamples.firstNode)
        #expect(first.configuration.node.name.rawValue == "node1")
        #expect(first.configuration.raft.bootstrap)
        #expect(first.configuration.api.authToken == Secret("your-secure-token-here"))
        #expect(first.configuration.postgresql?.connection.host == "/var/run/postgresql")
        #expect(first.warnings.isEmpty)
        let second = try loaded(GuideExamples.secondNode)
        #expect(second.configuration.node.name.rawValue == "node2")
        #expect(!second.configuration.raft.bootstrap)
        #expect(second.configuration.kind == .witness)
    }

    @Test func `K01 a missing version means 1`() throws {
        #expect(try loaded(GuideExamples.minimal).configuration.version == 1)
    }

    @Test func `K01 a greater version is an error that names the supported one`() {
        let found = errorsWith("version: 2")
        #expect(
            found == [
                "2:10: version 2 of the configuration is not supported; this program reads version 1 (the file is for a newer pgbastion)"
            ])
        #expect(errorsWith("version: 0").first?.contains("reads version 1") == true)
        #expect(
            errorsWith("version: one").first?.hasPrefix("2:10: \"version\" is \"one\", which is not a whole number")
                == true)
    }

    @Test func `K02 the name is required and must be a DNS label`() {
        #expect(errors("node: {address: 10.0.1.1}").first?.contains("\"node.name\" is missing") == true)
        for name in ["Node1", "-a", "a-", "a.b", "a_b", String(repeating: "a", count: 64)] {
            let found = errors("node: {name: \(name), address: 10.0.1.1}")
            #expect(found.count == 1)
            #expect(found.first?.hasPrefix("1:14: \"node.name\" is ") == true)
        }
    }

    @Test func `K02 the name gives the slot name`() throws {
        let name = try loaded("node: {name: node-1, address: a}").configuration.node.name
        #expect(name.slotName == "node_1")
    }

    @Test func `K03 the address is required`() {
        #expect(errors("node: {name: node1}").first?.contains("\"node.address\" is missing") == true)
        #expect(errors("{}").count == 2)
        #expect(errors("").count == 2)
    }

    @Test(arguments: ["10.0.1.1", "fd00::1", "node1.example.org", "db_1"])
    func `K03 an address is IPv4, IPv6 or a host name`(address: String) throws {
        let node = try loaded("node: {name: n, address: \"\(address)\"}").configuration.node
        #expect(node.address.text == address)
    }

    @Test(arguments: ["10.0.1.1:8300", "10.0.1", "300.1.1.1", "a b", "-a.b", "[10.0.1.1]", "a..b"])
    func `K03 what is no address is refused`(address: String) {
        #expect(errors("node: {name: n, address: \"\(address)\"}").count == 1)
    }

    @Test func `K04 the Raft directory has a default and is absolute`() throws {
        #expect(try loaded(GuideExamples.minimal).configuration.raft.dataDirectory == "/var/lib/pgbastion/raft")
        #expect(try loadedWith("raft: {data_dir: /srv/raft/}").raft.dataDirectory == "/srv/raft")
        #expect(errorsWith("raft: {data_dir: raft}").first?.contains("not an absolute path") == true)
    }

    @Test func `K05 the Raft port is 8300 and is assumed for peers without one`() throws {
        #expect(try loaded(GuideExamples.minimal).configuration.raft.bindPort == 8300)
        let peers = try loadedWith(
            "raft: {bind_port: 9300}\ncluster: {peers: [10.0.1.2, \"[::1]:7000\", \"::1\", \"n3:8300\"]}"
        )
        .cluster.peers
        #expect(peers.map(\.description) == ["10.0.1.2:9300", "[::1]:7000", "[::1]:9300", "n3:8300"])
        #expect(errorsWith("cluster: {peers: [10.0.1.2, \"a:0\", \"b:x\"]}").count == 2)
    }

    @Test func `K06 bootstrap is false by default`() throws {
        #expect(try !loaded(GuideExamples.minimal).configuration.raft.bootstrap)
        #expect(errorsWith("raft: {bootstrap: yes}").first?.contains("not true or false") == true)
        #expect(errorsWith("raft: {bootstrap: \"true\"}").first?.hasSuffix("(remove the quotes)") == true)
    }

    @Test func `K07 K08 the proxy ports are 5432 and 5433`() throws {
        let proxy = try loaded(GuideExamples.minimal).configuration.proxy
        #expect(proxy.primaryPort == 5432)
        #expect(proxy.replicaPort == 5433)
        for port in ["0", "65536", "-1", "5432.0", "\"6000\"", "0o17", "1_000"] {
            #expect(errorsWith("proxy: {primary_port: \(port)}").count == 1)
        }
    }

    @Test func `K09 K10 the API listens on loopback port 8080`() throws {
        let api = try loaded(GuideExamples.minimal).configuration.api
        #expect(api.port == 8080)
        #expect(api.bindAddresses == [.loopback])
        #expect(api.socket == "/run/pgbastion/api.sock")
    }

    @Test func `K10 several addresses need a token when one is not loopback`() throws {
        let api = try loadedWith("api: {bind_address: [127.0.0.1, 10.0.1.1], auth_token: abc}").api
        #expect(api.bindAddresses.map(\.description) == ["127.0.0.1", "10.0.1.1"])
        let found = errorsWith("api: {bind_address: [\"::1\", 10.0.1.1]}")
        #expect(found.count == 1)
        #expect(found.first?.contains("api.bind_address 10.0.1.1 is not loopback, and there is no token") == true)
        #expect(errorsWith("api: {bind_address: 0.0.0.0, auth_token: \"\"}").count == 1)
        #expect(errorsWith("api: {bind_address: localhost}").first?.contains("not an IP address") == true)
        #expect(errorsWith("api: {bind_address: []}").count == 1)
    }

    @Test func `K11 without a token on loopback there is a warning`() throws {
        #expect(try warningsWith("").contains { $0.contains("there is no api.auth_token") })
        #expect(try warningsWith("api: {auth_token: \"\"}").contains { $0.contains("there is no api.auth_token") })
        #expect(try warningsWith("api: {auth_token: x}").isEmpty)
    }

    @Test func `K11 the token is read from its file, without the line end`() throws {
        let files = TokenFileAccess.read { path throws(FileProblem) in
            guard path == "/etc/token" else { throw FileProblem(reason: "no such file") }
            return Array("s3cret\n".utf8)
        }
        func parse(_ text: String) throws(ConfigurationErrors) -> NodeConfiguration {
            try ConfigurationFile.parse(text: GuideExamples.minimal + text, tokenFiles: files).configuration
        }
        let read = try parse("api: {auth_token_file: /etc/token, bind_address: 10.0.1.1}")
        #expect(read.api.authToken == Secret("s3cret"))
        #expect(throws: ConfigurationErrors.self) { try parse("api: {auth_token_file: /etc/other}") }
        #expect(throws: ConfigurationErrors.self) { try parse("api: {auth_token_file: /etc/token, auth_token: x}") }
        let skipped = try ConfigurationFile.parse(
            text: GuideExamples.minimal + "api: {auth_token_file: /etc/token, bind_address: 10.0.1.1}",
            tokenFiles: .skip)
        #expect(skipped.configuration.api.authToken == nil)
    }

    @Test func `K11 K14 no secret is ever printed`() throws {
        let canary = "canary7"
        let text = """
            api: {auth_token: \(canary)}
            postgresql: {connect_dsn: "postgresql://u:\(canary)@10.0.1.1/db?sslpassword=\(canary)"}
            backup: {ping_url: "https://example.org/\(canary)"}
            """
        let configuration = try loadedWith(text)
        #expect(!configuration.redacted.contains(canary))
        #expect(!"\(configuration.api)".contains(canary))
        #expect(!String(reflecting: configuration.api).contains(canary))
        var dumped = ""
        dump(configuration.api, to: &dumped)
        #expect(!dumped.contains(canary))
        let changes = ConfigurationChanges(from: configuration, to: try loadedWith(""))
        #expect(!"\(changes)".contains(canary))
        let refused = errorsWith(
            "api: {auth_token: \"\(canary) \(canary)\"}\npostgresql: {connect_dsn: \"host=a password=\(canary) \(canary)\"}"
        )
        #expect(refused.count == 2)
        #expect(!refused.joined().contains(canary))
    }

    @Test func `K12 K13 directories of PostgreSQL are absolute, and data needs programs`() throws {
        let postgresql = try loaded(GuideExamples.firstNode).configuration.postgresql
        #expect(postgresql?.binDirectory == "/usr/lib/postgresql/16/bin")
        #expect(postgresql?.dataDirectory == "/var/lib/postgresql/16/main")
        #expect(errorsWith("postgresql: {bin_dir: bin, data_dir: main}").count == 2)
        #expect(errorsWith("postgresql: {data_dir: /d}").first?.contains("needs \"postgresql.bin_dir\"") == true)
    }

    @Test func `K15 comments, any order and absent sections are fine`() throws {
        let text = """
            # first
            log: # a section
              format: json
              # between
              level: debug
            node:
              address: a # after
              name: n
            """
        let configuration = try loaded(text).configuration
        #expect(configuration.log == .init(level: .debug, format: .json))
    }

    @Test func `K15 all errors are reported at once, with line and column`() {
        let text = """
            node: {name: Node1}
            raft:
              bind_prot: 8300
              bind_port: x
            raft2: {}
            api: &anchor
              port: !!int 8080
              port: 8081
            """
        let found = errors(text)
        #expect(
            found == [
                "1:1: \"node.address\" is missing (add the address at which the other nodes reach this one)",
                "1:14: \"node.name\" is \"Node1\", which is not a node name: 1 to 63 of a-z, 0-9 and \"-\", with a letter or digit at both ends",
                "3:3: unknown key \"raft.bind_prot\" (did you mean \"bind_port\"?)",
                "4:14: \"raft.bind_port\" is \"x\", which is not a port from 1 to 65535",
                "5:1: unknown key \"raft2\" (did you mean \"raft\"?)",
                "6:6: anchors are not supported (write the value out where it is used)",
                "7:9: tags are not supported: \"tag:yaml.org,2002:int\"",
                "8:3: duplicate key \"port\"; it is also in line 7",
            ])
    }

    @Test func `K15 an error becomes an error of the product with every line`() {
        do {
            _ = try ConfigurationFile.parse(text: "node: {}\nx: 1", file: "/etc/p.yaml")
            Issue.record("accepted")
        } catch {
            let shown = error.bastionError
            #expect(shown.code == .invalidConfiguration)
            #expect(shown.code.exitStatus == 78)
            #expect(shown.message == "cannot use configuration file \"/etc/p.yaml\": 3 errors")
            #expect(shown.detail?.split(separator: "\n").count == 3)
            #expect(shown.detail?.contains("/etc/p.yaml:2:1: error: unknown key \"x\"") == true)
        }
    }

    @Test func `the file is the one of the option, the environment, or the default`() {
        let environment = ["PGBASTION_CONFIG": "/e.yaml"]
        #expect(ConfigurationFile.path(option: "/o.yaml", environment: environment) == "/o.yaml")
        #expect(ConfigurationFile.path(option: nil, environment: environment) == "/e.yaml")
        let empty = ConfigurationFile.path(option: nil, environment: ["PGBASTION_CONFIG": ""])
        #expect(empty == "/etc/pgbastion/pgbastion.yaml")
    }

    @Test func `K15 a missing file and a directory are errors, not traps`() {
        for path in ["/nonexistent/pgbastion.yaml", "/"] {
            #expect(throws: ConfigurationErrors.self) { try ConfigurationFile.load(path: path) }
        }
    }
}
