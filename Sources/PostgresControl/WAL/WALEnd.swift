import ClusterModel

/// Finds the end of the last whole WAL record of a stopped server with `pg_waldump` (8.3).
struct WALEnd: Sendable {
    let programs: ProgramRunner
    let walDirectory: String
    let segmentBytes: UInt64

    /// The end of the one record that begins at `start`.
    func end(ofRecordAt start: LSN, timeline: TimelineID) async throws(BastionError) -> LSN {
        let result = try await dump(timeline, ["-s", "\(start)", "-n", "1"])
        guard let record = result.lines.compactMap(WALRecordLine.init).first, record.start == start else {
            throw result.error("could not read the WAL record at \(start)", code: .corrupt)
        }
        return end(of: record)
    }

    /// The end of the last whole record at or after `start`; nil when there is none.
    func lastEnd(from start: LSN, timeline: TimelineID, lookup: TimelineLookup) async throws(BastionError) -> LSN? {
        guard let last = lookup.lastSegment(of: timeline) else { return nil }
        // Without an end the program waits 5 s for a segment that does not exist.
        let limit = LSN((last + 1) * segmentBytes)
        guard start < limit else { return nil }
        let bounds = ["-s", "\(start)", "-e", "\(limit)"]
        let quiet = try await dump(timeline, ["-q"] + bounds)
        if let record = quiet.lines.compactMap(WALRecordLine.lastRead).last {
            return record == .zero ? nil : try await end(ofRecordAt: record, timeline: timeline)
        }
        if quiet.lines.contains(where: { $0.contains("could not find a valid record") }) { return nil }
        // WAL that ends exactly with its last segment gives no error; the last line tells.
        let full = try await dump(timeline, bounds)
        return full.lines.compactMap(WALRecordLine.init).last.map(end)
    }

    /// A switch record counts to the end of its segment.
    private func end(of record: WALRecordLine) -> LSN {
        let end = WALAddress.end(ofRecordAt: record.start, length: record.length, segmentBytes: segmentBytes)
        guard record.isSwitch else { return end }
        return LSN((end.rawValue + segmentBytes - 1) / segmentBytes * segmentBytes)
    }

    private func dump(_ timeline: TimelineID, _ arguments: [String]) async throws(BastionError) -> ProgramResult {
        try await programs.run(
            "pg_waldump", ["-p", walDirectory, "-t", "\(timeline)"] + arguments, within: .seconds(120))
    }
}

/// One line of `pg_waldump`.
struct WALRecordLine: Sendable {
    var start: LSN
    /// All bytes of the record, without page headers.
    var length: UInt64
    var isSwitch: Bool

    /// `rmgr: XLOG len (rec/tot): 114/ 114, tx: 0, lsn: 0/01000028, prev 0/00000000, desc: …`
    init?(_ line: String) {
        guard line.hasPrefix("rmgr:"), let sizes = WALRecordLine.text(after: "(rec/tot):", until: ",", in: line),
            let total = sizes.split(separator: "/").last.flatMap({ UInt64(String($0).trimmedLine) }),
            let position = WALRecordLine.text(after: "lsn: ", until: ",", in: line).flatMap({ LSN($0) })
        else { return nil }
        start = position
        length = total
        isSwitch = line.hasPrefix("rmgr: XLOG") && line.contains("desc: SWITCH")
    }

    /// The record read last before an error: `pg_waldump: error: error in WAL record at 0/3000028: invalid record length …`
    static func lastRead(_ line: String) -> LSN? {
        text(after: "error in WAL record at ", until: ":", in: line).flatMap { LSN($0) }
    }

    private static func text(after mark: String, until end: Character, in line: String) -> Substring? {
        guard let range = line.firstRange(of: mark) else { return nil }
        return line[range.upperBound...].prefix { $0 != end }
    }
}
