import ClusterModel
import Crypto
import FoundationEssentials
import Operations

/// The status page at `/ui/`: one document without outside resources, which reads the same API as everybody else.
///
/// Its policy lets the browser run this script and this style only, and lets it ask this node only.
enum StatusPage {
    static let routes: [Route] = [
        .get(
            "/ui", .probe,
            about: RouteAbout("the status page for browsers", answers: [.text("one HTML document", "text/html; charset=utf-8")])
        ) { _ throws(BastionError) in response }
    ]

    private static let script = dataScript + "\n" + viewScript + "\n" + actionScript
    static let document = markup.replacing("/*STYLE*/", with: style).replacing("/*SCRIPT*/", with: script)

    private static let response = APIResponse(
        status: 200, contentType: "text/html; charset=utf-8",
        headers: [
            (name: "Content-Security-Policy", value: policy), (name: "X-Content-Type-Options", value: "nosniff"),
            (name: "Referrer-Policy", value: "no-referrer"),
        ], body: Array(document.utf8))

    /// - Source: W3C, Content Security Policy Level 3.
    static let policy = [
        "default-src 'none'", "script-src \(hash(script))", "style-src \(hash(style))", "connect-src 'self'", "img-src data:",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private static func hash(_ text: String) -> String {
        "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
    }
}
