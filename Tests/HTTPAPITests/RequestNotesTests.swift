import ClusterModel
import Operations
import Testing

@testable import HTTPAPI

/// `reason` and `override` of a change (`cli.md`, section 2): from the client's query to the metadata of the request.
@Suite struct RequestNotesTests {
    @Test func `reason and overrides arrive with the request, whatever characters they have`() async throws {
        let reason = "disk of node1: 100% full & \"slow\" + é\n?=#"
        let call = OperationCall(
            operation: "switchover", input: Array("{}".utf8), requestID: try #require(RequestID("r1")), timeout: .seconds(1),
            reason: reason, overrides: ["replica.caught_up", "no_long_transaction"])
        let api = TestAPI()
        let query = RequestNotes.query(of: call).joined(separator: "&")
        let response = await api.send("POST", "/v1/operations/switchover?\(query)", body: #"{"to":"node2"}"#)
        #expect(response.status < 300, "\(String(decoding: response.body, as: UTF8.self))")
        let metadata = try #require(await api.gateway.submissions.last?.metadata)
        #expect(metadata.reason == reason)
        #expect(metadata.overrides == ["replica.caught_up", "no_long_transaction"])
    }

    @Test func `a check that nobody may pass is refused by name`() async throws {
        let api = TestAPI()
        for id in ["replica.caught_upp", "node.is_replica", "", "x%0A"] {
            let response = await api.send("POST", "/v1/operations/switchover?override=\(id)", body: #"{"to":"node2"}"#)
            #expect(response.status == 400, "\(id)")
        }
        let long = String(repeating: "x", count: RequestNotes.longestReason + 1)
        #expect(await api.send("POST", "/v1/operations/pause?reason=\(long)").status == 400)
        #expect(await api.gateway.submissions.isEmpty)
    }

    @Test func `metadata of an older release has neither`() throws {
        let old = #"{"actor":"uid 0 over unix socket","request_id":"r1"}"#
        let metadata = try JSONText.decode(RequestMetadata.self, from: Array(old.utf8))
        #expect(metadata.reason == nil)
        #expect(metadata.overrides == [])
        let new = RequestMetadata(requestID: metadata.requestID, actor: "a", reason: "why", overrides: ["x"])
        #expect(try JSONText.decode(RequestMetadata.self, from: try JSONText.encode(new)) == new)
    }
}
