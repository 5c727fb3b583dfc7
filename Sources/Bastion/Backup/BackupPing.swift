import ClusterModel
import HTTPAPI

/// Tells a monitoring service that a backup began, is done, or failed (backup-restore.md, 4, step 13).
struct BackupPing {
    enum Kind { case start, success, failure }

    /// Limit: for one call.
    private static let limit: Duration = .seconds(10)
    let url: String

    /// GET of `URL/start`, POST to `URL` or `URL/fail`; any answer of 200 to 299 counts.
    func send(_ kind: Kind, _ body: [UInt8]) async throws(BastionError) {
        guard let (base, path) = split() else { throw BastionError(.invalidConfiguration, "backup.ping_url is not an address") }
        let request =
            switch kind {
            case .start: ClientRequest(method: "GET", path: path + "/start")
            case .success: ClientRequest(method: "POST", path: path, body: body)
            case .failure: ClientRequest(method: "POST", path: path + "/fail", body: body)
            }
        let answer = try await OutgoingCall.send(request, to: try Endpoint(base), limit: Self.limit)
        guard (200...299).contains(answer.status) else { throw BastionError(.unavailable, "it answered \(answer.status)") }
    }

    /// `https://host:443`, `/path`; a default port is spelled out.
    private func split() -> (base: String, path: String)? {
        let isSecure = url.hasPrefix("https://")
        let rest = url.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty else { return nil }
        var path = String(rest.dropFirst(authority.count))
        if path.hasSuffix("/") { path.removeLast() }
        let hasPort = authority.split(separator: "]").last.map { $0.contains(":") } ?? false
        return ((isSecure ? "https://" : "http://") + authority + (hasPort ? "" : isSecure ? ":443" : ":80"), path)
    }
}
