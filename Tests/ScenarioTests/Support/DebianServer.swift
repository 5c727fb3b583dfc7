import Bastion
import Glibc
import PostgresControl
import PostgresTestKit

/// A PostgreSQL in Debian's layout, made by Debian's own programs before pgbastion: configuration outside the data directory.
///
/// It lies where the sandbox expects the node's data, so that the sandbox's verbs reach it.
struct DebianServer: Sendable {
    let sandbox: Sandbox
    let node: SandboxNode
    var port: Int

    init(_ sandbox: Sandbox, _ node: SandboxNode) {
        self.sandbox = sandbox
        self.node = node
        port = node.postgresPort
    }

    /// The cluster's name for `pg_lsclusters`; also of the pid file that Debian keeps beside its sockets.
    var name: String { "test\(getpid())n\(node.number)" }
    var root: String { sandbox.layout.root(node) + "/etc" }
    var configurationDirectory: String { "\(root)/15/\(name)" }
    var configFile: String { configurationDirectory + "/postgresql.conf" }
    var dataDirectory: String { sandbox.layout.dataDirectory(node) }
    var connection: String {
        "host=\(sandbox.layout.runDirectory(node)) port=\(port) user=postgres dbname=postgres connect_timeout=3"
    }

    func create() throws {
        try shell(
            """
            mkdir -p '\(root)' && pg_createcluster -d '\(dataDirectory)' -s '\(sandbox.layout.runDirectory(node))' \
              -p \(port) -l '\(sandbox.layout.root(node))/debian.log' 15 \(name) -- --no-sync
            """)
    }

    /// As the distribution's unit does it.
    func start() throws { try shell("pg_ctlcluster --skip-systemctl-redirect 15 \(name) start") }
    func stop() throws { try shell("pg_ctlcluster --skip-systemctl-redirect 15 \(name) stop -m fast") }

    func configure(_ line: String) throws { try shell("echo \"\(line)\" >> '\(configFile)'") }

    func ask(_ question: String) throws -> String { try SimpleQuery.column(question, on: connection).first ?? "" }

    @discardableResult
    func shell(_ script: String) throws -> String {
        let result = Shell.run(script, environment: ["PG_CLUSTER_CONF_ROOT": root])
        guard result.status == 0 else { throw ScenarioFailure("\(script): \(result.output) \(result.errors)") }
        return result.output.trimmed
    }
}
