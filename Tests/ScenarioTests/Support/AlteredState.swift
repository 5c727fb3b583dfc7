import BackupArchive
import ClusterModel
import FailoverCore
import Glibc
import NodeCore
import Operations
import RaftCore

@testable import Bastion
@testable import RaftIO

/// States that no cluster made, put where a cluster finds them.
enum AlteredState {
    /// Changes what a stopped daemon remembers of an operation of the past: a snapshot with another text is put in front of its log.
    static func write(in directory: String) throws {
        let stopped = try StoppedDirectory.open(directory)
        let point = stopped.committed
        var state = point.state
        guard !state.finished.isEmpty else { throw ScenarioFailure("no operation is finished") }
        state.finished[0].message = "altered by hand"
        var snapshots = SnapshotStore(directory: directory, retain: 1)
        snapshots.clusterID = stopped.clusterID
        try snapshots.save(
            Snapshot(index: point.index, term: point.term, membership: point.membership, data: try StateCodec.encode(state)))
    }

    /// An archive like `path`, in which directives wait for their nodes.
    ///
    /// - Returns: The path of the new archive, sealed.
    static func archive(
        from path: String, to folder: String, configuration: String,
        adding directives: [(id: String, type: DirectiveRecord.Kind, node: NodeName)]
    ) throws -> String {
        let source = try RestoreSource.open(path, BackupFolder(directory: folder, clusterName: "sandbox"), mayBeUnsealed: true)
        var state = source.state
        let token = FencingToken((state.primary?.token.rawValue ?? 0) + 1)
        for directive in directives {
            state.directives.append(
                DirectiveRecord(
                    id: directive.id, type: directive.type, targetNode: directive.node, token: token,
                    createdAt: wallClockMilliseconds(), ttlMilliseconds: 86_400_000, term: UInt64(source.manifest.raft.term)))
        }
        let members = state.memberNodes.map { node in
            ArchivedSnapshot.Member(name: node.name, address: "127.0.0.1:\(node.raftPort)", suffrage: .voter)
        }
        let made = ArchiveSource(
            state: state, index: UInt64(source.manifest.raft.index) + 1, term: UInt64(source.manifest.raft.term),
            configIndex: UInt64(source.manifest.raft.configIndex), members: members, source: source.manifest.source,
            configurationPath: configuration, request: ArchiveRequest())
        let prepared = try made.contents(now: .now).prepared()
        let target = "\(folder)/\(prepared.manifest.archiveName)"
        let descriptor = open(target, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw ScenarioFailure("could not write \(target)") }
        defer { close(descriptor) }
        let bytes = try ArchiveWriter.bytes(of: prepared)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw ScenarioFailure("could not write \(target)") }
        let sealed = Shell.run("cd '\(folder)' && sha256sum '\(prepared.manifest.archiveName)' > '\(prepared.manifest.archiveName).sha256'")
        try hold(sealed.status == 0, "\(sealed)")
        return target
    }
}
