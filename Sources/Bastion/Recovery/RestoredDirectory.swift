import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import RaftCore
import RaftIO

/// Makes the directory of a restored or recovered cluster and puts it in the place of the old one (7.2; 9).
struct RestoredDirectory {
    let site: RecoverySite
    /// `pre-restore` or `pre-recover`: the name under which the old directory is kept.
    let kind: String
    let time: ArchiveTime
    let former: ClusterState
    let from: RestoredFrom
    let index: LogIndex

    struct Made {
        var clusterID: ClusterID
        var state: ClusterState
        var movedTo: String?
    }

    func putInPlace() throws(BastionError) -> Made {
        let member = MemberID(rawValue: .random(in: 1 ... .max))
        let newID = ClusterID(rawValue: .random(in: 1 ... .max))
        let state = former.restored(on: site.node, member: member, newID: newID, now: time.seconds * 1000, archive: from)
        let aside = site.swap.sibling(kind, time.compact)
        let marker = RestoredMarker(
            archive: from.archiveID, sha256: from.sha256, clusterID: newID, parentID: former.cluster?.id,
            epoch: state.cluster?.epoch ?? 1, at: time.description, by: from.by,
            previous: site.swap.exists ? DirectorySwap.last(aside) : nil)
        let bytes: [UInt8]
        do { bytes = try StateCodec.encode(state) } catch {
            throw BastionError(.internal, "the state cannot be written", detail: "\(error)")
        }
        let staged = try StagedDirectory(
            site.swap.sibling("restore", time.compact),
            StagedDirectory.Content(
                clusterID: newID, epoch: state.cluster?.epoch ?? 1, memberID: member, index: index, state: bytes,
                files: [RestoredMarker.fileName: try marker.encoded()]),
            owner: site.owner)
        defer { withExtendedLifetime(staged) {} }
        do throws(BastionError) {
            let isKept = try site.swap.replace(by: staged.path, keepingAs: aside)
            return Made(clusterID: newID, state: state, movedTo: isKept ? aside : nil)
        } catch {
            StagedDirectory.discard(staged.path, of: newID)
            throw error
        }
    }
}
