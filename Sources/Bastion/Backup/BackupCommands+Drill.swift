import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import FoundationEssentials
import Glibc
import NodeCore
import Operations
import RaftCore
import RaftIO

/// `backup drill`: a restore that touches nothing of this node.
extension BackupCommands {
    func drill(_ input: BackupInput) async throws(BastionError) -> BackupDrillOutput {
        let began = ContinuousClock.now
        let place = try place(input)
        let path = try resolve(input.archive?.words.first ?? "latest", place)
        let file = try ArchiveFile(path: path)
        let sealed = try beside(path).sidecar(of: name(path))
        let report = try ArchiveVerifier(reload: StateReloading.reload).verify(file, sealed: sealed, level: .full)
        if let failure = report.failure { throw failure }
        guard let manifest = report.manifest, let sha256 = report.sha256 else {
            throw BastionError(.integrity, "the archive \"\(path)\" has no manifest")
        }
        // The same descriptor that was verified.
        let state = try StateArchive.state(try ArchiveReader.member(ArchiveMember.state, of: file))
        let rehearsal = RestoreRehearsal(manifest: manifest, sha256: sha256, state: state, folder: input.temp ?? Self.temporaryFolder)
        let digest = try rehearsal.run()
        let seconds = (ContinuousClock.now - began).inSeconds
        let output = BackupDrillOutput(
            id: manifest.id, ok: true, stateSHA256: digest, durationSeconds: seconds,
            steps: [
                "verified    \(manifest.id), \(report.outcome.rawValue)", "restored    into a private directory, removed again",
                "started     one isolated member; it led and committed", "compared    the state read back is what a restore has to give",
            ])
        await record(manifest, sha256, digest, seconds)
        return output
    }

    private static var temporaryFolder: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

    /// A drill proves something about the archive, also where no daemon runs: the catalogue only remembers the date.
    private func record(_ manifest: BackupManifest, _ sha256: String, _ digest: String, _ seconds: Double) async {
        do throws(BastionError) {
            let node = access(configurationPath, R_OK) == 0 ? try configuration().node.name : nil
            guard let node, let client = try connect() as? any ArchiveClient else { return }
            var line = BackupRecord(
                kind: .drill, id: manifest.id, series: manifest.series, at: wallClockMilliseconds(), node: node, exitStatus: 0)
            line.index = UInt64(clamping: manifest.raft.index)
            line.sha256 = sha256
            line.stateSHA256 = digest
            line.durationSeconds = seconds
            line.isVerified = true
            try await client.record(line, requestID: BackupRun.requestID())
        } catch {
            note("warning: the date of this drill is not recorded: \(error.message)")
        }
    }
}

/// A restore into a directory of its own, and one member that is started on it.
struct RestoreRehearsal {
    let manifest: BackupManifest
    let sha256: String
    let state: ClusterState
    let folder: String

    /// - Returns: The digest of the restored state.
    func run() throws(BastionError) -> String {
        var template = Array("\(folder)/pgbastion-drill-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) != nil else {
            throw BastionError(.io, "could not make a directory in \"\(folder)\"", detail: String(cString: strerror(errno)))
        }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { TextFiles.removeTree(directory) }
        let path = directory + "/raft"
        let member = MemberID(rawValue: .random(in: 1 ... .max))
        let expected = try transformed(member)
        try stage(expected, member, path)
        let found = try start(path)
        let digest: String
        do {
            digest = try StateCodec.digest(of: expected)
            guard try StateCodec.canonical(found) == StateCodec.canonical(expected) else {
                throw BastionError(
                    .integrity, "a restore of \(manifest.id) does not give the state it has to",
                    detail: "digest \(try StateCodec.digest(of: found)), expected \(digest)")
            }
        } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.internal, "the restored state cannot be written as JSON", detail: "\(error)")
        }
        return digest
    }

    private func transformed(_ member: MemberID) throws(BastionError) -> ClusterState {
        guard let node = manifest.raft.voters.first.flatMap({ NodeName($0) }) ?? state.sortedNodes.first?.name else {
            throw BastionError(.integrity, "the archive has no member that could be restored")
        }
        return state.restored(
            on: node, member: member, newID: ClusterID(rawValue: .random(in: 1 ... .max)), now: wallClockMilliseconds(),
            archive: RestoredFrom(archiveID: manifest.id, sha256: sha256, by: BackupCommands.user, manner: .restore))
    }

    /// What `restore --bootstrap` puts in the place of the old directory.
    private func stage(_ state: ClusterState, _ member: MemberID, _ path: String) throws(BastionError) {
        guard let cluster = state.cluster else { throw BastionError(.integrity, "the restored state has no cluster") }
        let data: [UInt8]
        do { data = try StateCodec.encode(state) } catch {
            throw BastionError(.internal, "the restored state cannot be written", detail: "\(error)")
        }
        _ = try StagedDirectory(
            path,
            StagedDirectory.Content(
                clusterID: cluster.id, epoch: cluster.epoch, memberID: member,
                index: LogIndex(UInt64(clamping: manifest.raft.index) + 1_000_000), state: data),
            owner: nil)
    }

    /// Opens the directory as a start does, lets the member become the leader and commit, and gives its state.
    private func start(_ path: String) throws(BastionError) -> ClusterState {
        let store = try RaftLogStore.open(directory: path)
        let durable = try store.load()
        guard let snapshot = durable.snapshot else { throw BastionError(.integrity, "the restored directory has no snapshot") }
        var raft = RaftNode(
            id: ServerID(rawValue: store.identity.memberID.rawValue), settings: RaftSettings(), durable: durable,
            initialMembership: Membership(), seed: 1)
        // Limit: ten election timeouts of 10 ms ticks.
        for _ in 0..<2_000 where !raft.hasCommittedInTerm {
            raft.tick()
            while true {
                let ready = raft.ready()
                if ready.isEmpty { break }
                if let batch = ready.persist {
                    try store.persist([batch])
                    raft.persisted(through: batch.number)
                }
                guard ready.committed.allSatisfy({ $0.kind == .empty }), ready.messages.isEmpty else {
                    throw BastionError(.integrity, "the restored member does not stand alone")
                }
            }
        }
        guard raft.hasCommittedInTerm else { throw BastionError(.integrity, "the restored member did not become the leader") }
        try store.close()
        do { return try StateCodec.decode(ClusterState.self, snapshot.data) } catch {
            throw BastionError(.integrity, "the restored state cannot be read", detail: "\(error)")
        }
    }
}
