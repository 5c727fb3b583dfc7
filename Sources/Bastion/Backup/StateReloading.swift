import BackupArchive
import ClusterModel
import NodeCore

/// The state machine that `backup verify` loads an archive's state into, and reads it from again.
enum StateReloading {
    static let reload: StateReload = { (bytes) throws(BastionError) in
        let state = try StateArchive.state(bytes)
        do { return try StateCodec.canonical(state) } catch {
            throw BastionError(.internal, "the cluster state cannot be written as JSON", detail: "\(error)")
        }
    }
}
