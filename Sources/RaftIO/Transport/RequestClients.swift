import ClusterModel
import NIOCore

/// Requests that wait for an answer, and the connections they share. Used on the transport's event loop only.
///
/// Invariant: what this keeps is up to date before anything is called that may call back.
final class RequestClients {
    /// Where a request goes; the same destination shares one connection.
    struct Destination: Hashable, Sendable {
        var host: String
        var port: Int
        var member: MemberID?
    }

    typealias Completion = (Result<[UInt8], BastionError>) -> Void

    private struct Client {
        var connection: PeerConnection?
        var waiting: [UInt64: (completion: Completion, timer: Scheduled<Void>)] = [:]
        /// Not sent yet: the connection is being made.
        var unsent: [(id: UInt64, payload: [UInt8])] = []
        var idleTimer: Scheduled<Void>?
    }

    /// Limit: requests to one destination that wait for an answer.
    static let maximumWaiting = 256

    private var clients: [Destination: Client] = [:]
    private var nextID: UInt64 = 1
    private let loop: any EventLoop
    private let idle: Duration

    init(loop: any EventLoop, idle: Duration) {
        self.loop = loop
        self.idle = idle
    }

    enum Step { case sent, mustDial, refused }

    /// Registers a request and sends it when a connection is open. `mustDial`: the caller is to make one.
    func begin(
        _ payload: [UInt8], to destination: Destination, timer: (UInt64) -> Scheduled<Void>,
        completion: @escaping Completion
    ) -> Step {
        var client = clients[destination] ?? Client()
        guard client.waiting.count < RequestClients.maximumWaiting else {
            completion(
                .failure(
                    BastionError(.busy, "too many requests wait for \(destination.host), port \(destination.port)")))
            return .refused
        }
        let id = nextID
        nextID += 1
        client.idleTimer?.cancel()
        client.idleTimer = nil
        client.waiting[id] = (completion, timer(id))
        let isFirst = client.connection == nil && client.unsent.isEmpty
        if client.connection == nil { client.unsent.append((id, payload)) }
        clients[destination] = client
        client.connection?.send(PeerFrame(kind: .request, id: id, payload: payload))
        return isFirst ? .mustDial : .sent
    }

    func connected(_ connection: PeerConnection, _ destination: Destination) {
        guard var client = clients[destination] else {
            connection.close()
            return
        }
        let unsent = client.unsent.filter { client.waiting[$0.id] != nil }
        client.connection = connection
        client.unsent = []
        clients[destination] = client
        for request in unsent {
            connection.write(PeerFrame(kind: .request, id: request.id, payload: request.payload))
        }
        connection.flush()
    }

    func failed(_ destination: Destination, _ error: BastionError) {
        guard let client = clients.removeValue(forKey: destination) else { return }
        client.idleTimer?.cancel()
        for request in client.waiting.sorted(by: { $0.key < $1.key }) {
            request.value.timer.cancel()
            request.value.completion(.failure(error))
        }
    }

    func answered(_ frame: PeerFrame, over connection: PeerConnection) {
        guard let destination = destination(of: connection),
            let request = clients[destination]?.waiting.removeValue(forKey: frame.id)
        else { return }
        request.timer.cancel()
        closeWhenIdle(destination)
        if frame.kind == .response {
            request.completion(.success(frame.payload))
        } else {
            let rejection = HandshakeCoding.decode(Rejection.self, frame.payload)
            request.completion(
                .failure(rejection?.error ?? BastionError(.unavailable, "the other node refused the request")))
        }
    }

    func timedOut(_ id: UInt64, _ destination: Destination) {
        guard let request = clients[destination]?.waiting.removeValue(forKey: id) else { return }
        request.completion(
            .failure(BastionError(.timeout, "no answer from \(destination.host), port \(destination.port), in time")))
    }

    func closed(_ connection: PeerConnection) {
        guard let destination = destination(of: connection) else { return }
        failed(destination, connection.failure ?? BastionError(.unavailable, "the other node closed the connection"))
    }

    private func closeWhenIdle(_ destination: Destination) {
        guard clients[destination]?.waiting.isEmpty == true else { return }
        clients[destination]?.idleTimer?.cancel()
        clients[destination]?.idleTimer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(idle.inNanoseconds)) {
            [weak self] in
            guard let client = self?.clients[destination], client.waiting.isEmpty else { return }
            client.connection?.close()
        }
    }

    private func destination(of connection: PeerConnection) -> Destination? {
        clients.first { $0.value.connection === connection }?.key
    }
}

extension TransportCore {
    /// Sends a request; `completion` is called once, on the loop.
    func request(
        _ payload: [UInt8], to destination: RequestClients.Destination, timeout: Duration,
        completion: @escaping RequestClients.Completion
    ) {
        guard payload.count <= settings.maxRequestBytes else {
            let limit = settings.maxRequestBytes
            completion(
                .failure(
                    BastionError(.tooLarge, "request is longer than \(limit) bytes", detail: "\(payload.count) bytes")))
            return
        }
        let isolated = loop.assumeIsolated()
        let step = requests.begin(
            payload, to: destination,
            timer: { id in
                isolated.scheduleTask(in: .nanoseconds(timeout.inNanoseconds)) { [weak self] in
                    self?.requests.timedOut(id, destination)
                }
            }, completion: completion)
        guard step == .mustDial else { return }
        dial(host: destination.host, port: destination.port, purpose: .request, expected: destination.member) {
            [self] result in
            switch result {
            case .success(let connection): requests.connected(connection, destination)
            case .failure(let error): requests.failed(destination, error)
            }
        }
    }

    /// Answers a request of another node; at most `maxConcurrentRequests` of one connection run at a time.
    func serve(_ frame: PeerFrame, from remote: PeerHello, over connection: PeerConnection) {
        guard case .acceptor = connection.role, connection.running < settings.maxConcurrentRequests else {
            let rejection = Rejection(
                code: .busy, message: "too many requests of node \"\(remote.nodeName)\" are running")
            connection.send(PeerFrame(kind: .failure, id: frame.id, payload: HandshakeCoding.encode(rejection)))
            return
        }
        guard shared.begin() else { return }
        connection.running += 1
        let held = NIOLoopBound(connection, eventLoop: loop)
        let limit = settings.maxRequestBytes
        Task {
            let answer = await handlers.onRequest(remote, frame.payload)
            loop.execute { [self] in
                defer { end() }
                held.value.running -= 1
                guard answer.count <= limit else {
                    let rejection = Rejection(code: .tooLarge, message: "the answer is longer than \(limit) bytes")
                    held.value.send(PeerFrame(kind: .failure, id: frame.id, payload: HandshakeCoding.encode(rejection)))
                    return
                }
                held.value.send(PeerFrame(kind: .response, id: frame.id, payload: answer))
            }
        }
    }
}
