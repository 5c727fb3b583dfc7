import FoundationEssentials
import Glibc

/// Names as the daemon gave them last, in `$XDG_CACHE_HOME/pgbastion/`; a file per source and cluster.
struct CompletionCache: Sendable {
    /// Limit: older names are not offered.
    static let oldest = 24 * 3600

    private let folder: String
    private let path: String

    /// nil when there is no place for caches.
    init?(_ source: ValueSource.Names, _ line: ParsedArguments, _ environment: [String: String]) {
        let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        guard let root = base ?? environment["HOME"].map({ $0 + "/.cache" }), root.hasPrefix("/") else { return nil }
        folder = root + "/pgbastion"
        let place = ["addr", "context", "config"].flatMap { line.list($0) }.joined(separator: "\n")
        path = folder + "/complete-\(source.rawValue)-\(Self.digest(place))"
    }

    /// Empty when there are none, or none that are young enough.
    func read() -> [String] {
        var status = stat()
        guard stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec <= Self.oldest else { return [] }
        guard let bytes = FileManager.default.contents(atPath: path) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// A cache that cannot be written is none.
    func write(_ names: [String]) {
        let text = names.map { $0 + "\n" }.joined()
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            return
        }
    }

    /// FNV-1a: a name for a file, nothing more.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
