import ClusterModel
import Glibc

extension ServerWorker {
    /// D46: segments that wait for the archiver are archived before a rewind removes them. The command is the operator's
    /// own `archive_command`, which by its definition is text for a shell.
    func archiveReadySegments(_ layout: ConfigurationLayout) async throws(BastionError) {
        let directory = input.walDirectory + "/archive_status"
        let waiting = (try DurableFiles.list(directory) ?? []).filter { $0.hasSuffix(".ready") }
        guard !waiting.isEmpty, try await configured("archive_mode", layout) != "off" else { return }
        let command = try await configured("archive_command", layout)
        guard !command.isEmpty, command != "(disabled)" else { return }
        for status in waiting {
            let segment = String(status.dropLast(".ready".count))
            guard DurableFiles.exists(input.walDirectory + "/" + segment) else { continue }
            let text = ArchiveCommand.expanded(command, path: "pg_wal/" + segment, file: segment)
            let result = try await ProgramRunner(binDirectory: "/bin").run(
                "sh", ["-c", "cd \"$1\" && eval \"$2\"", "sh", input.dataDirectory, text], within: .seconds(120))
            guard result.succeeded else { throw result.error("could not archive segment \"\(segment)\"") }
            try DurableFiles.move(directory + "/" + status, to: directory + "/" + segment + ".done")
        }
    }

    /// Copies the WAL that the rewind will lose to `<data_dir>.lost-<time>`, for `salvage`.
    func exportLostWAL(_ source: PostgresEndpoint) async throws(BastionError) {
        let stopped = try await inspectStopped()
        let bytes = await reader.controlData()?.segmentBytes ?? 16_777_216
        let theirs = try await sourceHistory(source)
        let fork = TimelineFork.find(
            stopped.history, stopped.end.timeline, theirs.history, theirs.timeline)
        guard let fork, stopped.end.lsn > fork.lsn else { return }
        let names = (try DurableFiles.list(input.walDirectory) ?? []).filter { name in
            if let timeline = TimelineHistoryFile.timeline(ofFile: name) { return timeline >= fork.timeline }
            guard let segment = WALSegment(name: name, segmentBytes: bytes), segment.timeline >= fork.timeline else {
                return false
            }
            return segment.number >= fork.lsn.rawValue / bytes && segment.number <= stopped.end.lsn.rawValue / bytes
        }
        let target = input.dataDirectory + ".lost-" + input.timestamp()
        try DurableFiles.makeDirectory(target)
        for name in names { try DurableFiles.copy(input.walDirectory + "/" + name, to: target + "/" + name) }
        let note = "timeline \(stopped.end.timeline), from \(fork.lsn) to \(stopped.end.lsn)\n"
        try DurableFiles.write(note, to: target + "/pgbastion.lost")
    }

    private func sourceHistory(
        _ source: PostgresEndpoint
    ) async throws(BastionError) -> (timeline: TimelineID, history: [TimelineSwitch]) {
        let session = remoteSession(source, user: input.replicationUser, replication: true)
        do throws(SQLFailure) {
            let identity = try await session.run("IDENTIFY_SYSTEM", within: .seconds(10)).first?.rows.first
            guard let identity, let number = identity[1].flatMap({ UInt32($0) }) else {
                throw SQLFailure(kind: .refused, message: "its answer is not understood")
            }
            var history: [TimelineSwitch] = []
            if number > 1 {
                let row = try await session.run("TIMELINE_HISTORY \(number)", within: .seconds(10)).first?.rows.first
                history = TimelineHistoryFile.parse((row?.last ?? nil) ?? "")
            }
            await session.close()
            return (TimelineID(number), history)
        } catch {
            throw error.error("could not ask \"\(source.node)\" for its timeline history")
        }
    }
}

/// Where two histories part.
enum TimelineFork {
    /// The newest common timeline and the last common position; nil when they have no timeline in common.
    static func find(
        _ a: [TimelineSwitch], _ aTimeline: TimelineID, _ b: [TimelineSwitch], _ bTimeline: TimelineID
    ) -> WALPosition? {
        let endless = LSN(UInt64.max)
        let first = a + [TimelineSwitch(timeline: aTimeline, switchPoint: endless)]
        let second = b + [TimelineSwitch(timeline: bTimeline, switchPoint: endless)]
        for mine in first.reversed() {
            guard let theirs = second.last(where: { $0.timeline == mine.timeline }) else { continue }
            return WALPosition(timeline: mine.timeline, lsn: min(mine.switchPoint, theirs.switchPoint))
        }
        return nil
    }
}

enum ArchiveCommand {
    /// `%p`, `%f` and `%%` as PostgreSQL replaces them (manual, `archive_command`).
    static func expanded(_ command: String, path: String, file: String) -> String {
        var result = ""
        var rest = command[...]
        while let character = rest.popFirst() {
            guard character == "%", let kind = rest.first else {
                result.append(character)
                continue
            }
            switch kind {
            case "p": result += path
            case "f": result += file
            case "%": result += "%"
            default:
                result.append(character)
                continue
            }
            rest.removeFirst()
        }
        return result
    }
}
