import ClusterModel
import Synchronization

/// How far a clone or rewind is; handed out while it runs, and once more when it ended.
package struct JobReport: Sendable, Hashable {
    package var progress: JobProgress
    /// The last lines of the program, oldest first, at most 20.
    package var recentOutput: [String] {
        get { progress.recentOutput ?? [] }
        set { progress.recentOutput = newValue }
    }

    init(kind: String) {
        progress = JobProgress()
        progress.kind = kind
        progress.phase = "connecting"
        progress.startedAt = WallClock.instant()
    }

    /// Takes over a line such as `  10240/204800 kB (5%), 0/1 tablespace` or `12/34 kB (35%) copied`.
    mutating func read(_ line: String) {
        let text = line.trimmedLine
        guard !text.isEmpty else { return }
        if let (copied, total) = JobReport.kilobytes(text) {
            progress.phase = "copying"
            progress.bytesCopied = copied * 1024
            progress.bytesTotal = total * 1024
            progress.percent = total > 0 ? min(100, Double(copied) * 100 / Double(total)) : nil
            return
        }
        if text.contains("reading source file list") { progress.phase = "fetching_files" }
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

/// The report of the running job, and who hears of its changes.
final class JobReporter: Sendable {
    private let report: Mutex<JobReport>
    private let listener: @Sendable (JobReport) -> Void

    init(kind: String, _ listener: @escaping @Sendable (JobReport) -> Void) {
        report = Mutex(JobReport(kind: kind))
        self.listener = listener
        listener(JobReport(kind: kind))
    }

    /// - Returns: The progress after this line.
    @discardableResult
    func read(_ line: String) -> JobProgress { change { $0.read(line) } }

    func noteFiles(_ count: UInt64) { change { $0.progress.filesCopied = count } }

    func complete() {
        change {
            $0.progress.phase = "complete"
            $0.progress.percent = 100
        }
    }

    func fail(_ error: BastionError) {
        change {
            $0.progress.phase = "failed"
            $0.progress.error = error.description
        }
    }

    @discardableResult
    private func change(_ edit: (inout JobReport) -> Void) -> JobProgress {
        let now = report.withLock { report in
            edit(&report)
            return report
        }
        listener(now)
        return now.progress
    }
}
