import BackupArchive
import ClusterModel
import FailoverCore
import Glibc
import Synchronization

/// The archive that a restore reads: found, verified in full, and loaded through the same descriptor (steps 4 to 7 of 7.1).
package struct RestoreSource: Sendable {
    /// What the operator named.
    let word: String
    let manifest: BackupManifest
    let sha256: String
    let state: ClusterState
    let isSealed: Bool
    /// Of the verification.
    let findings: [String]
    /// The id of a newer good archive of this cluster.
    let newer: String?
    /// Every member that is small, for `restore --to`.
    let file: ArchiveFile

    /// - Parameter mayBeUnsealed: `--override unsealed`.
    static func open(_ word: String, _ configuration: BackupFolder, mayBeUnsealed: Bool) throws(BastionError) -> RestoreSource {
        let (file, sealed) = try find(word, configuration)
        let report = try ArchiveVerifier(reload: StateReloading.reload).verify(file, sealed: sealed, level: .full)
        if let failure = report.failure {
            throw refusal(
                failure.code, failure.code == .integrity ? "integrity" : "unsupported_archive", failure.message,
                detail: failure.detail ?? report.findings.joined(separator: "; "),
                hint: failure.code == .integrity
                    ? "take another archive: `pgbastion backup list`" : failure.hint ?? "use a version that can read it")
        }
        guard let manifest = report.manifest, let sha256 = report.sha256, report.outcome != .inconclusive else {
            throw refusal(.integrity, "integrity", "the archive could not be verified", detail: report.findings.joined(separator: "; "))
        }
        guard sealed != nil || mayBeUnsealed else {
            throw refusal(
                .integrity, "unsealed", "the archive has no sidecar, so nothing says that it is as it was written",
                detail: "Everything inside of it is consistent.", hint: "`--override unsealed` takes it as it is", overridable: true)
        }
        return RestoreSource(
            word: word, manifest: manifest, sha256: sha256, state: try load(file, sha256), isSealed: sealed != nil,
            findings: report.findings, newer: try newer(than: manifest, configuration), file: file)
    }

    /// Step 4; the hash in the sidecar is nil without one.
    static func find(_ word: String, _ folder: BackupFolder) throws(BastionError) -> (ArchiveFile, String?) {
        if word == "-" { return (try StandardInputArchive.shared.file(), nil) }
        let repository = BackupRepository(directory: folder.directory, reload: StateReloading.reload)
        var path = word
        if !word.contains("/") || word.hasPrefix("@") {
            do throws(BastionError) { path = try repository.resolve(word, clusterName: folder.clusterName) } catch {
                guard error.code == .io, access(folder.directory, F_OK) != 0 else { throw error }
                throw BastionError(
                    .notFound, "there is no backup \"\(word)\": the directory \"\(folder.directory)\" does not exist",
                    hint: "set backup.dir, or give the path of the archive")
            }
        }
        // `latest.tar.gz` is a link beside its archive.
        let real = realpath(path, nil)
        if let real {
            path = String(cString: real)
            free(real)
        }
        let file = try ArchiveFile(path: path)
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let beside = BackupRepository(directory: String(path[..<slash]), reload: StateReloading.reload)
        return (file, try beside.sidecar(of: String(path[path.index(after: slash)...])))
    }

    /// 5.1, rule 1: what is loaded is what was verified.
    private static func load(_ file: ArchiveFile, _ sha256: String) throws(BastionError) -> ClusterState {
        var bytes: [UInt8] = []
        let facts = try ArchiveReader.read(file) { (path, piece) throws(BastionError) in
            if path == ArchiveMember.state { bytes += Array(piece) }
        }
        guard facts.sha256 == sha256 else {
            throw refusal(.integrity, "integrity", "the archive changed while it was read", hint: "try again")
        }
        return try StateArchive.state(bytes)
    }

    private static func newer(than manifest: BackupManifest, _ folder: BackupFolder) throws(BastionError) -> String? {
        guard access(folder.directory, F_OK) == 0 else { return nil }
        let repository = BackupRepository(directory: folder.directory, reload: StateReloading.reload)
        return try repository.list().compactMap { entry -> BackupManifest? in
            guard entry.status == .good, let other = entry.manifest, other.cluster.id == manifest.cluster.id,
                other.series == manifest.series,
                (other.cluster.epoch, other.raft.index, other.createdAt) > (manifest.cluster.epoch, manifest.raft.index, manifest.createdAt)
            else { return nil }
            return other
        }.max { ($0.cluster.epoch, $0.raft.index, $0.createdAt) < ($1.cluster.epoch, $1.raft.index, $1.createdAt) }?.id
    }
}

/// Where archives are looked for.
package struct BackupFolder: Sendable {
    package var directory: String
    package var clusterName: String
    package init(directory: String, clusterName: String) {
        self.directory = directory
        self.clusterName = clusterName
    }
}

/// The archive on standard input: read once, for the rehearsal and for what follows it.
private final class StandardInputArchive: Sendable {
    static let shared = StandardInputArchive()
    private let read = Mutex<ArchiveFile?>(nil)

    func file() throws(BastionError) -> ArchiveFile {
        if let file = read.withLock({ $0 }) { return file }
        let file = try Self.standardInput()
        read.withLock { $0 = file }
        return file
    }

    /// Kept in a private file that is gone when the process ends.
    private static func standardInput() throws(BastionError) -> ArchiveFile {
        var template = Array("/tmp/pgbastion-restore-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BastionError(.io, "could not make a temporary directory", detail: String(cString: strerror(errno)))
        }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = folder + "/archive.tar.gz"
        defer {
            unlink(path)
            rmdir(folder)
        }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BastionError(.io, "could not write \"\(path)\"", detail: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(STDIN_FILENO, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            guard write(descriptor, piece, count) == count else {
                throw BastionError(.io, "could not write \"\(path)\"", detail: String(cString: strerror(errno)))
            }
        }
        return try ArchiveFile(path: path)
    }
}
