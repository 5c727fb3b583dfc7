import ClusterModel
import Glibc
import Testing

@testable import Bastion

/// What `doctor` and `config init` read from a machine, on a tree of files made for it.
@Suite struct MachineInspectionTests {
    private func tree(_ files: [String: String]) throws -> String {
        let root = "/tmp/pgbastion-test-\(getpid())-machine-\(UInt32.random(in: 1 ... .max))"
        for (path, text) in files {
            let folder = "\(root)\(path)".split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
            try makeDirectories(folder)
            try TextFiles.write(text, to: root + path)
        }
        return root
    }

    @Test func `the unit is read with its drop-ins, and only its section Service`() throws {
        let root = try tree([
            "/run/systemd/system/.here": "",
            "/lib/systemd/system/pgbastion.service":
                "[Unit]\nType=unit\n[Service]\nType=notify\nKillMode=process\n# WatchdogSec=1\n[Install]\nKillMode=no\n",
            "/etc/systemd/system/pgbastion.service.d/10.conf": "[Service]\nWatchdogSec=20\n",
        ])
        defer { TextFiles.removeTree(root) }
        let facts = SystemdInspection(dataDirectory: nil, root: root).facts()
        #expect(facts.isPresent && facts.unitFile == root + "/lib/systemd/system/pgbastion.service")
        #expect(facts.service == ["Type": "notify", "KillMode": "process", "WatchdogSec": "20"])
        #expect(facts.distributionUnits.isEmpty && !facts.hasNeedrestart)
    }

    @Test func `an enabled unit of the distribution counts when it starts this data directory (F09)`() throws {
        let data = "/var/lib/postgresql/16/main"
        let root = try tree([
            "/etc/systemd/system/multi-user.target.wants/postgresql.service": "",
            "/etc/postgresql/16/main/postgresql.conf": "data_directory = '\(data)'\n",
            "/etc/postgresql/16/main/start.conf": "# how\nauto\n",
            "/etc/needrestart/conf.d/x.conf": "nothing",
        ])
        defer { TextFiles.removeTree(root) }
        #expect(SystemdInspection(dataDirectory: data, root: root).facts().distributionUnits == ["postgresql.service"])
        #expect(SystemdInspection(dataDirectory: "/other", root: root).facts().distributionUnits.isEmpty)
        #expect(SystemdInspection(dataDirectory: data, root: root).facts().hasNeedrestart)
        try TextFiles.write("manual\n", to: root + "/etc/postgresql/16/main/start.conf")
        #expect(SystemdInspection(dataDirectory: data, root: root).facts().distributionUnits.isEmpty)
    }

    @Test func `the newest PostgreSQL with data is found, else the newest`() throws {
        let root = try tree([
            "/lib/15/bin/postgres": "", "/lib/16/bin/postgres": "", "/lib/17/bin/psql": "", "/data/15/main/PG_VERSION": "15",
        ])
        defer { TextFiles.removeTree(root) }
        for version in [15, 16] { chmod("\(root)/lib/\(version)/bin/postgres", 0o755) }
        let found = try #require(DebianLayout.newest(programs: root + "/lib", clusters: root + "/data"))
        #expect(found.version == 15 && found.hasData && found.dataDirectory == root + "/data/15/main")
        TextFiles.removeTree(root + "/data")
        let fresh = try #require(DebianLayout.newest(programs: root + "/lib", clusters: root + "/data"))
        #expect(fresh.version == 16 && !fresh.hasData)
        #expect(DebianLayout.newest(programs: root + "/none", clusters: root) == nil)
    }

    @Test func `a file is written in the order of the documentation, quoted where YAML needs it`() {
        let text = ConfigurationText([
            "version": "1", "node.name": "node1", "node.address": "::1", "proxy.pool.enabled": "true",
            "cluster.peers": "[10.0.1.2:8300, b]",
            "postgresql.connect_dsn": "host=/r dbname=x",
        ]).text
        #expect(
            text.split(separator: "\n").dropFirst().joined(separator: "\n") == """
                version: 1
                cluster:
                  peers: ["10.0.1.2:8300", b]
                node:
                  address: "::1"
                  name: node1
                proxy:
                  pool:
                    enabled: true
                postgresql:
                  connect_dsn: "host=/r dbname=x"
                """)
    }

    @Test func `a server that ended and a foreign process are no postmaster`() throws {
        let root = try tree(["/postmaster.pid": "\(getpid())\n"])
        defer { TextFiles.removeTree(root) }
        #expect(MachineInspection.postmaster(root) == nil)
        #expect(MachineInspection.postmaster(root + "/none") == nil)
    }
}
