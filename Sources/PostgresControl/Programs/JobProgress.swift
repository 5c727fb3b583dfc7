/// How far a long job is; sent while it runs.
package struct JobProgress: Sendable, Hashable, Codable {
    /// `clone`, `rewind`, `initialize`.
    package var kind: String
    package var phase: String
    package var percent: Double?
    package var bytesTotal: UInt64?
    package var bytesCopied: UInt64?
    /// The last lines of the program, oldest first, at most 20.
    package var recentOutput: [String]

    package init(kind: String, phase: String) {
        self.kind = kind
        self.phase = phase
        recentOutput = []
    }

    /// Takes over a line such as `  10240/204800 kB (5%), 0/1 tablespace` or `12/34 kB (35%) copied`.
    mutating func read(_ line: String) {
        let text = line.trimmedLine
        guard !text.isEmpty else { return }
        if let (copied, total) = JobProgress.kilobytes(text) {
            bytesCopied = copied * 1024
            bytesTotal = total * 1024
            percent = total > 0 ? min(100, Double(copied) * 100 / Double(total)) : nil
            return
        }
        recentOutput.append(text)
        if recentOutput.count > 20 { recentOutput.removeFirst() }
    }

    static func kilobytes(_ text: String) -> (UInt64, UInt64)? {
        let words = text.split(separator: " ")
        guard words.count >= 2, words[1] == "kB", let slash = words[0].firstIndex(of: "/"),
            let copied = UInt64(words[0][..<slash]), let total = UInt64(words[0][words[0].index(after: slash)...])
        else { return nil }
        return (copied, total)
    }
}
