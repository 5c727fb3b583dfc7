import ClusterModel

extension RaftLogStore {
    /// Who a stopped directory says it is, and how often its log was written; nil without state. Begins no generation and
    /// changes nothing.
    package static func storedIdentity(in directory: String) throws(BastionError) -> (identity: StableIdentity, writes: UInt64)? {
        guard DurableFile.exists("\(directory)/\(StableStore.fileName)") else { return nil }
        try requireUnused(directory: directory)
        let copy = try StoppedCopy(of: directory)
        defer { copy.remove() }
        do throws(BastionError) {
            guard let identity = try StableStore(directory: copy.path, create: false).read()?.identity else { return nil }
            let entries = try EntryStore(directory: copy.path, create: false)
            (entries.clusterID, entries.memberID) = (identity.clusterID, identity.memberID)
            try entries.readMeta()
            return (identity, entries.meta.commits)
        } catch {
            throw copy.named(error)
        }
    }
}
