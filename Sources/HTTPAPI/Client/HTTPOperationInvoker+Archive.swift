import ClusterModel
import Crypto
import Operations
import Synchronization

/// Archives over HTTP: what arrived counts only when the trailers say the same.
extension HTTPOperationInvoker: ArchiveClient {
    package func fetchArchive(
        _ request: ArchiveRequest, timeout: Duration, into sink: @escaping @Sendable ([UInt8]) throws(BastionError) -> Void
    ) async throws(BastionError) -> String {
        let receipt = Receipt(sink)
        var asked = ClientRequest(method: "GET", path: "/v1/backup/archive?" + Self.query(request))
        asked.sink = { receipt.take($0) }
        let answer: ClientAnswer
        do throws(BastionError) {
            // Sent once: what an endpoint has begun to tell cannot be taken back.
            answer = try await send(asked, timeout: timeout, mayRepeat: false).answer
        } catch {
            if let failure = receipt.failure { throw failure }
            guard receipt.size > 0 else { throw error }
            throw Self.damaged("the stream ended after \(receipt.size) bytes: \(error.detail ?? error.message)")
        }
        guard answer.status == 200 else { throw Self.refusal(answer) }
        guard let hash = answer.trailer(ArchiveHeaders.sha256.lowercased()),
            let length = answer.trailer(ArchiveHeaders.length.lowercased())
        else { throw Self.damaged("its hash or its length did not follow") }
        let (size, digest) = receipt.total()
        guard length == "\(size)" else { throw Self.damaged("\(size) bytes came, \(length) were sent") }
        guard hash == digest else { throw Self.damaged("its hash is \(digest), sent was \(hash)") }
        guard let name = answer.header(ArchiveHeaders.name.lowercased()) else { throw Self.damaged("it has no name") }
        return name
    }

    package func record(_ record: BackupRecord, requestID: RequestID) async throws(BastionError) {
        _ = try await post("/v1/backup/record", try JSONText.encode(record), requestID)
    }

    package func claim(_ claim: BackupClaim, requestID: RequestID) async throws(BastionError) -> Bool {
        let body = try await post("/v1/backup/claim", try JSONText.encode(claim), requestID)
        return try JSONText.decode(BackupRoutes.Claimed.self, from: body).claimed
    }

    private func post(_ path: String, _ body: [UInt8], _ id: RequestID) async throws(BastionError) -> [UInt8] {
        let headers = [(name: "X-Request-ID", value: id.rawValue), (name: "Idempotency-Key", value: id.rawValue)]
        let request = ClientRequest(method: "POST", path: path, headers: headers, body: body)
        let answer = try await send(request, timeout: .seconds(10), mayRepeat: true).answer
        guard answer.status == 200 else { throw Self.refusal(answer) }
        return answer.body
    }

    private static func refusal(_ answer: ClientAnswer) -> BastionError {
        do throws(BastionError) {
            if let error = try OperationEnvelope(parsing: answer.body).error { return error }
        } catch {}
        return BastionError(.unavailable, "the daemon answered \(answer.status)")
    }

    private static func damaged(_ reason: String) -> BastionError {
        BastionError(.integrity, "the archive did not arrive as it was sent", detail: "\(reason). Nothing was stored.", hint: "try again")
    }

    private static func query(_ request: ArchiveRequest) -> String {
        var fields = [("mode", request.mode.rawValue), ("series", request.series)]
        fields += request.labels.sorted { $0.key < $1.key }.map { ("label", "\($0.key)=\($0.value)") }
        if let previous = request.previousID { fields.append(("previous_id", previous)) }
        if let cluster = request.previousClusterID { fields.append(("previous_cluster_id", cluster)) }
        if !request.includesConfiguration { fields.append(("no_config", "true")) }
        if !request.includesRunbooks { fields.append(("no_runbooks", "true")) }
        if let time = request.createdAt { fields.append(("created_at", "\(time)")) }
        return fields.map { "\($0.0)=\(RequestNotes.encoded($0.1))" }.joined(separator: "&")
    }

    /// What came so far.
    private final class Receipt: Sendable {
        private struct State {
            var hash = Crypto.SHA256()
            var size: UInt64 = 0
            var failure: BastionError?
        }
        private let state = Mutex(State())
        private let sink: @Sendable ([UInt8]) throws(BastionError) -> Void

        init(_ sink: @escaping @Sendable ([UInt8]) throws(BastionError) -> Void) { self.sink = sink }

        var failure: BastionError? { state.withLock { $0.failure } }
        var size: UInt64 { state.withLock { $0.size } }

        func take(_ bytes: [UInt8]) -> Bool {
            state.withLock { state in
                state.hash.update(data: bytes)
                state.size += UInt64(bytes.count)
                do throws(BastionError) {
                    try sink(bytes)
                    return true
                } catch {
                    state.failure = error
                    return false
                }
            }
        }

        func total() -> (size: UInt64, sha256: String) {
            state.withLock { state in
                let digits = Array("0123456789abcdef".utf8)
                let text = state.hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
                return (state.size, String(decoding: text, as: UTF8.self))
            }
        }
    }
}
