import ClusterModel
import Crypto
import FoundationEssentials
import Testing

@testable import HTTPAPI

/// The status page: served to everybody, with a policy that lets nothing else run.
@Suite struct StatusPageTests {
    @Test func `the page is served with and without the slash, also where reads need a token`() async {
        let api = TestAPI(protectReads: true)
        for path in ["/ui", "/ui/"] {
            let response = await api.send("GET", path, peer: .address("10.0.0.9"))
            #expect(response.status == 200 && response.contentType == "text/html; charset=utf-8")
            #expect(response.body == Array(StatusPage.document.utf8))
        }
        #expect(await api.send("POST", "/ui/").status == 405)
    }

    @Test func `the policy names exactly the script and the style that are in the page`() async throws {
        let response = await TestAPI().send("GET", "/ui/")
        let policy = try #require(response.header("Content-Security-Policy"))
        #expect(policy.hasPrefix("default-src 'none'; "))
        #expect(!policy.contains("unsafe"))
        let page = String(decoding: response.body, as: UTF8.self)
        for element in ["script", "style"] {
            let begin = try #require(page.firstRange(of: "<\(element)>")).upperBound
            let end = try #require(page.firstRange(of: "</\(element)>")).lowerBound
            let digest = Data(SHA256.hash(data: Data(page[begin..<end].utf8))).base64EncodedString()
            #expect(policy.contains("\(element)-src 'sha256-\(digest)'"), "\(element)")
        }
        #expect(response.header("X-Content-Type-Options") == "nosniff")
    }

    @Test func `nothing is loaded from elsewhere, and no text becomes markup`() {
        let page = StatusPage.document.replacing("http://www.w3.org/2000/svg", with: "")
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("@import"))
        for call in ["innerHTML", "outerHTML =", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick="] {
            #expect(!page.contains(call), "\(call)")
        }
    }

    @Test func `what the page asks for is served`() {
        let served = Set(RouteTable.served)
        #expect(served.isSuperset(of: ["GET /events", "GET /v1/operations/{name}", "POST /v1/operations/{name}", "GET /openapi.json"]))
    }
}
