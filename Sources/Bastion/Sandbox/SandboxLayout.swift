import ClusterModel
import FoundationEssentials
import Glibc

/// Where a sandbox keeps its nodes, and which ports they use. Everything is on loopback.
///
/// Node k of a sandbox uses eight ports from `basePort + 10 k` on.
package struct SandboxLayout: Sendable, Codable, Hashable {
    package var directory: String
    package var nodes: [SandboxNode]
    package var binDirectory: String
    package var token: String

    package init(directory: String, count: Int, basePort: Int, binDirectory: String, token: String) {
        self.directory = directory
        self.binDirectory = binDirectory
        self.token = token
        nodes = (1...count).map { SandboxNode(number: $0, basePort: basePort + 10 * ($0 - 1)) }
    }

    package func root(_ node: SandboxNode) -> String { "\(directory)/\(node.name)" }
    package func configuration(_ node: SandboxNode) -> String { "\(root(node))/pgbastion.yaml" }
    package func log(_ node: SandboxNode) -> String { "\(root(node))/daemon.log" }
    package func pidFile(_ node: SandboxNode) -> String { "\(root(node))/daemon.pid" }
    package func runDirectory(_ node: SandboxNode) -> String { "\(root(node))/run" }
    package func stateDirectory(_ node: SandboxNode) -> String { "\(root(node))/state" }
    package func dataDirectory(_ node: SandboxNode) -> String { "\(root(node))/data" }
    package func socket(_ node: SandboxNode) -> String { "\(runDirectory(node))/api.sock" }
    package static func file(_ directory: String) -> String { "\(directory)/sandbox.json" }

    /// The configuration file of one node: the guide's keys, with the paths and ports of the sandbox.
    package func yaml(_ node: SandboxNode, extra: String = "") -> String {
        """
        version: 1
        cluster:
          name: sandbox
        node:
          name: \(node.name)
          address: 127.0.0.1
          state_dir: \(stateDirectory(node))
          run_dir: \(runDirectory(node))
        raft:
          data_dir: \(root(node))/raft
          bind_port: \(node.raftPort)
          bootstrap: \(node.number == 1)
        proxy:
          primary_port: \(node.primaryPort)
          replica_port: \(node.replicaPort)
        api:
          port: \(node.apiPort)
          bind_address: 127.0.0.1
          auth_token: "\(token)"
        metrics:
          port: \(node.metricsPort)
        postgresql:
          bin_dir: \(binDirectory)
          data_dir: \(dataDirectory(node))
          port: \(node.postgresPort)
          connect_dsn: "host=\(runDirectory(node)) dbname=postgres"
        \(extra)
        """
    }
}

package struct SandboxNode: Sendable, Codable, Hashable {
    package var number: Int
    package var basePort: Int
    package init(number: Int, basePort: Int) {
        self.number = number
        self.basePort = basePort
    }
    package var name: String { "node\(number)" }
    package var primaryPort: Int { basePort }
    package var replicaPort: Int { basePort + 1 }
    package var apiPort: Int { basePort + 2 }
    package var metricsPort: Int { basePort + 3 }
    package var raftPort: Int { basePort + 4 }
    package var postgresPort: Int { basePort + 5 }
}

extension SandboxLayout {
    func save() throws(BastionError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        do { try TextFiles.write(String(decoding: encoder.encode(self), as: UTF8.self), to: SandboxLayout.file(directory)) } catch let error
            as BastionError
        {
            throw error
        } catch {
            throw BastionError(.internal, "the sandbox cannot be described", detail: "\(error)")
        }
    }

    static func load(_ directory: String) throws(BastionError) -> SandboxLayout {
        guard let text = TextFiles.read(SandboxLayout.file(directory)) else {
            throw BastionError(
                .notFound, "there is no sandbox in \"\(directory)\"", hint: "start one with `pgbastion sandbox start`")
        }
        do { return try JSONDecoder().decode(SandboxLayout.self, from: Data(text.utf8)) } catch {
            throw BastionError(.invalidData, "\"\(SandboxLayout.file(directory))\" cannot be read", detail: "\(error)")
        }
    }

    /// The newest PostgreSQL of Debian's layout.
    static func binDirectory() throws(BastionError) -> String {
        let root = "/usr/lib/postgresql"
        let versions = TextFiles.entries(root).compactMap { Int($0) }.sorted(by: >)
        guard let newest = versions.first(where: { access("\(root)/\($0)/bin/postgres", X_OK) == 0 }) else {
            throw BastionError(
                .invalidConfiguration, "PostgreSQL's programs were not found below \(root)",
                hint: "install them: apt-get install postgresql")
        }
        return "\(root)/\(newest)/bin"
    }
}
