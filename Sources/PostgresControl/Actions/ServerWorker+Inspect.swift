import ClusterModel

extension ServerWorker {
    /// 8.3: what the files of the stopped server say. Crash recovery is not started.
    func inspectStopped() async throws(BastionError) -> StoppedServer {
        try requireStopped()
        guard let control = await reader.controlData() else {
            throw BastionError(.failed, "could not read the control file of \"\(input.dataDirectory)\"")
        }
        let file = control.file
        let end = try await endOfWAL(control)
        var stopped = StoppedServer(
            control: file, end: end, isCleanShutdown: file.state == .shutDown || file.state == .shutDownInRecovery,
            wasStandby: file.wasStandby, history: try TimelineHistoryFile.read(end.timeline, in: input.walDirectory))
        stopped.hasBackupLabel = DurableFiles.exists(input.dataDirectory + "/backup_label")
        return stopped
    }

    private func endOfWAL(_ control: ControlData) async throws(BastionError) -> WALPosition {
        let file = control.file
        let reader = WALEnd(programs: programs, walDirectory: input.walDirectory, segmentBytes: control.segmentBytes)
        if file.state == .shutDown {
            let end = try await reader.end(ofRecordAt: file.checkpointLSN, timeline: file.timeline)
            return WALPosition(timeline: file.timeline, lsn: end)
        }
        let lookup = try TimelineLookup(directory: input.walDirectory, segmentBytes: control.segmentBytes)
        var timeline = file.timeline
        var start = file.checkpointLSN
        // What recovery needed at least is there, and is a place where a record begins.
        if file.minimumRecoveryTimeline >= timeline, file.minimumRecoveryLSN > start {
            timeline = file.minimumRecoveryTimeline
            start = file.minimumRecoveryLSN
        }
        // A standby may have received a newer timeline than it replayed; an old primary has only its own.
        let newest = file.wasStandby ? try lookup.timeline(at: LSN(UInt64.max), reached: timeline) : timeline
        while true {
            let end = try await lastEnd(reader, lookup, control, from: start, timeline, newest)
            if let end { return end }
            guard start > file.redoLSN else { break }
            start = file.redoLSN
        }
        // Nothing after the point that recovery reached: that point is the end.
        if file.minimumRecoveryLSN > .zero {
            return WALPosition(timeline: file.minimumRecoveryTimeline, lsn: file.minimumRecoveryLSN)
        }
        throw BastionError(
            .corrupt, "could not find the end of WAL in \"\(input.walDirectory)\"",
            detail: "no valid record after \(file.redoLSN) on timeline \(file.timeline)")
    }

    /// Newest timeline first: its last record, unless that lies before the timeline began.
    private func lastEnd(
        _ reader: WALEnd, _ lookup: TimelineLookup, _ control: ControlData, from start: LSN, _ oldest: TimelineID,
        _ newest: TimelineID
    ) async throws(BastionError) -> WALPosition? {
        var timeline = newest
        while timeline > oldest, let parent = try TimelineHistoryFile.read(timeline, in: input.walDirectory).last {
            // The first segment of a timeline begins with a copy of its parent's records.
            let segmentStart = LSN(parent.switchPoint.rawValue / control.segmentBytes * control.segmentBytes)
            let from = max(segmentStart, LSN(1))
            if let end = try await reader.lastEnd(from: from, timeline: timeline, lookup: lookup),
                end > parent.switchPoint
            {
                return WALPosition(timeline: timeline, lsn: end)
            }
            timeline = parent.timeline
        }
        return try await reader.lastEnd(from: start, timeline: oldest, lookup: lookup)
            .map { WALPosition(timeline: oldest, lsn: $0) }
    }
}

extension ControlFile {
    /// It last ran as a standby.
    var wasStandby: Bool {
        switch state {
        case .shutDownInRecovery, .inArchiveRecovery: true
        case .shutDown, .inProduction, .shuttingDown: false
        case .startingUp, .inCrashRecovery: minimumRecoveryLSN > .zero
        }
    }
}
