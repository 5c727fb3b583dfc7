import ClusterModel
import ConfigFiles
import FoundationEssentials
import Operations
import RaftIO

/// The part of a configuration that all nodes of a cluster should have the same: what a new node starts from.
struct SharedConfiguration {
    var values: [ConfigurationValue]

    init(_ configuration: NodeConfiguration) {
        values = configuration.entries.filter { ConfigFiles.ConfigurationEntry.isClusterWide($0.key) }
            .map { ConfigurationValue(key: $0.key, value: $0.value) }
    }

    private init(values: [ConfigurationValue]) { self.values = values }

    /// JSON, as it stands in a handshake.
    var text: String {
        String(decoding: PeerCoding.encode(values), as: UTF8.self)
    }

    /// - Parameter member: `HOST[:PORT]` of a Raft port, or the URL of an API.
    static func fetch(from member: String, own configuration: NodeConfiguration) async throws(BastionError) -> SharedConfiguration {
        if member.contains("://") { return try await fetchOverAPI(member) }
        guard let peer = HostAndPort(member, defaultPort: configuration.raft.bindPort) else {
            throw BastionError(.usage, "\"\(member)\" is neither HOST[:PORT] nor a URL")
        }
        let hello: PeerHello
        do throws(BastionError) {
            hello = try await BootstrapCheck(configuration: configuration).hello(host: peer.host.text, port: peer.port.number)
        } catch {
            throw BastionError(
                .unavailable, "the member at \(peer) could not be asked", detail: error.message,
                hint: "check that it runs and that its Raft port can be reached; where peers use TLS, give the URL of its API")
        }
        guard hello.clusterID != nil else {
            throw BastionError(.preconditionFailed, "node \"\(hello.nodeName)\" at \(peer) is not a member of a cluster yet")
        }
        let bytes = Array((hello.properties["configuration"] ?? "[]").utf8)
        return SharedConfiguration(values: try PeerCoding.decode([ConfigurationValue].self, bytes))
    }

    private static func fetchOverAPI(_ url: String) async throws(BastionError) -> SharedConfiguration {
        var options = ClientConnection.Options(configurationPath: NodeConfiguration.defaultPath)
        options.addresses = [url]
        options.token = ProcessInfo.processInfo.environment["PGBASTION_TOKEN"]
        let invoker = try ClientConnection.invoker(options)
        guard let id = RequestID("config-init-\(UInt32.random(in: 1 ... .max))") else {
            throw BastionError(.internal, "no request id")
        }
        let bytes = try await invoker.invoke(
            OperationCall(operation: "config.diff", input: Array("{}".utf8), requestID: id, timeout: .seconds(12)))
        let envelope = try OperationEnvelope(parsing: bytes)
        if let error = envelope.error { throw error }
        let settings = envelope.data?["cluster"]?.elements ?? []
        return SharedConfiguration(
            values: settings.compactMap { setting in
                guard let key = setting["key"]?.string, let value = setting["value"]?.string else { return nil }
                return ConfigurationValue(key: key, value: value)
            })
    }
}
