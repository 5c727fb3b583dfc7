import BackupArchive
import ClusterModel
import FoundationEssentials
import Glibc
import Operations

/// list, show, verify, diff: they change nothing, but for the quarantine that is asked for.
extension BackupCommands {
    func list(_ input: BackupInput) throws(BastionError) -> BackupListOutput {
        let place = try place(input)
        var rows: [(row: BackupListOutput.Row, entry: BackupRepository.Entry)] = []
        for entry in try entries(place.repository) {
            if input.all != true {
                guard entry.status == .good, entry.manifest?.cluster.name == place.clusterName else { continue }
            }
            if let series = input.series, entry.manifest?.series != series { continue }
            var row = BackupListOutput.Row(name: entry.name, sizeBytes: entry.size, status: entry.status.rawValue, keep: entry.isPinned)
            if let manifest = entry.manifest {
                row.id = manifest.id
                row.createdAt = manifest.createdAt.description
                row.cluster = manifest.cluster.name
                row.series = manifest.series
                row.index = manifest.raft.index
                row.mode = manifest.source.mode.rawValue
            }
            rows.append((row, entry))
        }
        rows.sort { a, b in
            switch (a.entry.retained, b.entry.retained) {
            case (let a?, let b?): b.isOlder(than: a)
            case (let a, _): a != nil
            }
        }
        return BackupListOutput(backups: rows.map(\.row))
    }

    /// A directory that was never written to holds nothing.
    func entries(_ repository: BackupRepository) throws(BastionError) -> [BackupRepository.Entry] {
        do throws(BastionError) { return try repository.list() } catch {
            guard error.code == .notFound else { throw error }
            return []
        }
    }

    func show(_ input: BackupInput) throws(BastionError) -> BackupShowOutput {
        let place = try place(input)
        let path = try resolve(input.archive?.words.first ?? "latest", place)
        let file = try ArchiveFile(path: path)
        let manifest = try ArchiveReader.manifest(file)
        var output = try JSONText.decode(BackupShowOutput.self, from: try CanonicalJSON.encode(manifest))
        output.archive = .init(
            path: path, sizeBytes: file.size, sha256: try file.sha256(), isSealed: try beside(path).sidecar(of: name(path)) != nil)
        output.notIncluded = BackupShowOutput.neverIncluded
        return output
    }

    func verify(_ input: BackupInput) throws(BastionError) -> BackupVerifyOutput {
        let place = try place(input)
        let level = ArchiveVerifier.Level(rawValue: input.level ?? "full") ?? .full
        var paths: [String] = []
        for word in input.archive?.words ?? [] { paths.append(try resolve(word, place)) }
        if input.all == true {
            paths += try entries(place.repository).filter { $0.status != .quarantined }.map { "\(place.repository.directory)/\($0.name)" }
        } else if paths.isEmpty || input.latest == true {
            paths.append(try resolve("latest", place))
        }
        var rows: [BackupVerifyOutput.Row] = []
        for path in paths {
            let repository = beside(path)
            let report = try repository.verify(name(path), level: level)
            rows.append(
                BackupVerifyOutput.Row(
                    id: report.manifest?.id ?? known(path)?.id, name: name(path), level: level.rawValue, result: report.outcome.rawValue,
                    problems: report.findings))
            if input.quarantine == true, report.outcome == .failed {
                try repository.quarantine(name(path))
                try repository.link(clusterName: place.clusterName)
            }
        }
        return BackupVerifyOutput(results: rows)
    }

    private func known(_ path: String) -> BackupManifest? {
        do { return try ArchiveReader.manifest(try ArchiveFile(path: path)) } catch { return nil }
    }

    func diff(_ input: BackupInput) throws(BastionError) -> BackupDiffOutput {
        let place = try place(input)
        let a = try state(try resolve(input.a ?? "", place))
        let b = try state(try resolve(input.b ?? "", place))
        var changes: [BackupDiffOutput.Change] = []
        Self.compare(a.state, b.state, "", &changes)
        return BackupDiffOutput(a: a.id, b: b.id, changes: changes)
    }

    /// The verified content of member 2.
    private func state(_ path: String) throws(BastionError) -> (id: String, state: JSONValue) {
        let repository = beside(path)
        let report = try repository.verify(name(path), level: .full)
        if let failure = report.failure { throw failure }
        guard let manifest = report.manifest else { throw BastionError(.integrity, "the archive \"\(path)\" has no manifest") }
        return (manifest.id, try JSONParser.parse(try ArchiveReader.member(ArchiveMember.state, of: try ArchiveFile(path: path))))
    }

    private static func compare(_ a: JSONValue, _ b: JSONValue, _ path: String, _ changes: inout [BackupDiffOutput.Change]) {
        guard a != b else { return }
        guard let before = a.members, let after = b.members else {
            if let old = a.elements, let new = b.elements { return compareLists(old, new, path, &changes) }
            return changes.append(.init(path: path, before: text(a), after: text(b)))
        }
        for name in Set(before.map(\.name) + after.map(\.name)).sorted() {
            let inner = path.isEmpty ? name : "\(path).\(name)"
            switch (a[name], b[name]) {
            case (let old?, let new?): compare(old, new, inner, &changes)
            case (let old, let new): changes.append(.init(path: inner, before: old.map(text), after: new.map(text)))
            }
        }
    }

    /// Histories grow at one end and are cut at the other: what is only in one of them is told.
    private static func compareLists(_ a: [JSONValue], _ b: [JSONValue], _ path: String, _ changes: inout [BackupDiffOutput.Change]) {
        let old = Set(a)
        let new = Set(b)
        for item in a where !new.contains(item) { changes.append(.init(path: "\(path)[]", before: text(item), after: nil)) }
        for item in b where !old.contains(item) { changes.append(.init(path: "\(path)[]", before: nil, after: text(item))) }
    }

    private static func text(_ value: JSONValue) -> String { String(decoding: value.bytes, as: UTF8.self) }

    // MARK: paths

    /// The repository that an archive named by its path lies in.
    func beside(_ path: String) -> BackupRepository {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return BackupRepository(directory: folder.isEmpty ? "/" : folder, reload: StateReloading.reload)
    }

    func name(_ path: String) -> String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }
}
