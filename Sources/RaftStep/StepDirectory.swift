import FoundationEssentials
import Glibc

/// A private temporary directory for the Raft directories of one run; removed when the value goes away.
final class StepDirectory {
    private let path: String
    private var used = 0

    init() throws(StepRefusal) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = "\(base)/pgbastion-raftstep-XXXXXX".utf8CString.map { $0 }
        guard mkdtemp(&template) != nil else {
            throw .storage("could not make a directory in \"\(base)\": error \(errno)")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A path that was not given out before; nothing is there yet.
    func next() -> String {
        used += 1
        return "\(path)/\(used)"
    }

    deinit {
        // What cannot be removed is left to whoever cleans temporary files.
        do { try FileManager.default.removeItem(atPath: path) } catch {}
    }
}
