import ClusterModel
import HTTPAPI
import Logging
import Operations
import Testing

/// A router over a value, asked without any socket.
struct TestAPI {
    let gateway: RecordedGateway
    let router: APIRouter
    let log = RecordingLog()

    init(
        _ gateway: RecordedGateway = RecordedGateway(ExampleCluster.healthy), token: String? = "s3cret",
        named: [AccessControl.NamedToken] = [], protectReads: Bool = false, now: @escaping @Sendable () -> Double = { 0 },
        reload: @escaping @Sendable () async throws(BastionError) -> APINode.ReloadOutcome = {
            () throws(BastionError) in
            APINode.ReloadOutcome(applied: ["log.level"], needsRestart: ["api.port"])
        }
    ) {
        self.gateway = gateway
        let log = log
        let access = AccessControl(
            token: { token.map { Array($0.utf8) } }, named: { named }, protectReads: { protectReads }, changes: RateLimiter(now: now),
            failures: RateLimiter(now: now))
        router = APIRouter(
            node: testNode(gateway, reload: reload), access: access, logger: Logger(label: "test") { _ in log })
    }

    func send(
        _ method: String, _ target: String, body: String = "", headers: [(name: String, value: String)] = [],
        peer: APIRequest.Peer = .unixSocket(nil)
    ) async -> APIResponse {
        await router.respond(
            to: APIRequest(method: method, target: target, headers: headers, body: Array(body.utf8), peer: peer))
    }

    func json(_ method: String, _ target: String, body: String = "") async throws -> JSONValue {
        let response = await send(method, target, body: body)
        #expect(response.body.last == 0x0A)
        #expect(response.contentType == "application/json")
        return try JSONParser.parse(response.body)
    }
}

func testNode(
    _ gateway: RecordedGateway,
    reload: @escaping @Sendable () async throws(BastionError) -> APINode.ReloadOutcome = { () throws(BastionError) in
        APINode.ReloadOutcome(applied: [], needsRestart: [])
    }
) -> APINode {
    APINode(
        gateway: gateway, metricsText: { "pgbastion_raft_term{cluster=\"prod\"} 7\n" }, reload: reload,
        connections: {
            [
                .init(backend: "node2", portType: "replica", active: 3),
                .init(backend: "node1", portType: "primary", active: 12),
            ]
        })
}

func failing(_ error: BastionError) -> RecordedGateway {
    RecordedGateway(ExampleCluster.healthy) { _, _ throws(BastionError) in throw error }
}

func example(_ change: (inout ClusterView) -> Void) -> RecordedGateway {
    var view = ExampleCluster.healthy
    change(&view)
    return RecordedGateway(view)
}

/// Keeps the lines a test looks for.
final class RecordingLog: LogHandler, Sendable {
    private let state = LockedLines()

    var lines: [String] { state.all }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set { _ = newValue }
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }
    var logLevel: Logger.Level {
        get { .trace }
        set { _ = newValue }
    }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        state.append("\(event.message) \(pairs)")
    }
}
