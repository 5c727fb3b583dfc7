import ClusterModel

/// A file `pg_wal/<timeline>.history`.
enum TimelineHistoryFile {
    static func name(_ timeline: TimelineID) -> String { WALSegment.hex(timeline.rawValue) + ".history" }

    /// Oldest first. Comments and reasons are skipped.
    static func parse(_ text: String) -> [TimelineSwitch] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, let number = UInt32(words[0]), let point = LSN(words[1]) else { return nil }
            return TimelineSwitch(timeline: TimelineID(number), switchPoint: point)
        }
    }

    /// Empty for timeline 1 and when the file is missing.
    static func read(_ timeline: TimelineID, in directory: String) throws(BastionError) -> [TimelineSwitch] {
        guard timeline.rawValue > 1 else { return [] }
        return parse(try DurableFiles.read(directory + "/" + name(timeline)) ?? "")
    }

    /// The name of a history file, or nil for any other file.
    static func timeline(ofFile name: String) -> TimelineID? {
        guard name.hasSuffix(".history"), name.utf8.count == 16 else { return nil }
        return UInt32(name.prefix(8), radix: 16).map { TimelineID($0) }
    }
}
