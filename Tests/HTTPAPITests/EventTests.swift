import ClusterModel
import HTTPAPI
import Operations
import Synchronization
import Testing

/// The event stream (X08).
@Suite struct EventTests {
    /// Reads `count` cluster updates; nil when they do not come within 10 s.
    private func updates(_ response: APIResponse, _ count: Int) async -> [String]? {
        guard let stream = response.stream else { return nil }
        return await withTaskGroup(of: [String]?.self) { group in
            group.addTask {
                var found: [String] = []
                for await part in stream {
                    let text = String(decoding: part, as: UTF8.self)
                    if text.contains("event: cluster_update") { found.append(text) }
                    if found.count == count { return found }
                }
                return found
            }
            group.addTask {
                do { try await ContinuousClock().sleep(for: .seconds(10)) } catch { return nil }
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func id(_ event: String) -> String {
        event.split(separator: "\n").first { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) } ?? ""
    }

    @Test func `X08 the present state comes first, then every change, and a repetition within 2 s`() async throws {
        let api = TestAPI()
        let response = await api.send("GET", "/events")
        #expect(response.contentType == "text/event-stream")
        let clock = ContinuousClock()
        let start = clock.now
        let reading = Task { await updates(response, 3) }
        await api.gateway.update { $0.paused = PauseView(reason: "", by: "test", since: "2026-02-17T02:00:00Z", forSeconds: nil) }
        let found = try #require(await reading.value)
        #expect(found.count == 3)
        #expect(found[1].contains(#""active":true"#), "\(found[1])")
        #expect(start.duration(to: clock.now) < .seconds(4))
        let data = try #require(found[0].split(separator: "\n").first { $0.hasPrefix("data: ") })
        let document = try JSONParser.parse(Array(data.dropFirst(6).utf8))
        #expect(document["type"]?.string == "cluster_update")
        #expect(document["status"]?["nodes"]?.elements?.isEmpty == false)
    }

    @Test func `X08 Last-Event-ID continues after that event, and an unknown one starts anew`() async throws {
        let api = TestAPI()
        let first = try #require(await updates(await api.send("GET", "/events"), 3))
        let again = await api.send("GET", "/events", headers: [(name: "last-event-id", value: id(first[0]))])
        let kept = try #require(await updates(again, 2))
        #expect(kept.map(id) == first.dropFirst().map(id))
        let strange = await api.send("GET", "/events", headers: [(name: "last-event-id", value: "0123-7")])
        let fresh = try #require(await updates(strange, 1))
        #expect(!first.map(id).contains(id(fresh[0])))
    }

    @Test func `X08 clients are bounded, and one that leaves makes room`() async throws {
        let api = TestAPI()
        var open: [APIResponse] = []
        for _ in 0..<EventFeed.maximumClients { open.append(await api.send("GET", "/events")) }
        #expect(open.allSatisfy { $0.status == 200 })
        let refused = await api.send("GET", "/events")
        #expect(refused.status == 503)
        #expect(try JSONParser.parse(refused.body)["code"]?.string == "busy")
        open = []
        var status = 503
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(10)
        while status != 200, clock.now < deadline { status = await api.send("GET", "/events").status }
        #expect(status == 200)
    }

    @Test func `Q07 HEAD of the stream ends at once`() async {
        let response = await TestAPI().send("HEAD", "/events")
        #expect(response.status == 200 && response.stream == nil)
    }
}
