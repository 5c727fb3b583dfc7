import ClusterModel

/// Everything that goes into one archive. Equal contents give equal bytes.
package struct BackupContents: Sendable {
    package var previousID: String?
    package var series = "default"
    package var labels: [String: String] = [:]
    package var createdAt: ArchiveTime
    package var tool: BackupManifest.Tool
    package var cluster: BackupManifest.Cluster
    package var source: BackupManifest.Source
    package var raft: BackupManifest.Raft
    package var stateFacts: BackupManifest.StateFacts
    package var postgres: BackupManifest.Postgres
    /// Keys of `configuration` whose values were replaced before the bytes came here.
    package var redacted: [BackupManifest.Redacted] = []

    /// Canonical JSON.
    package var state: MemberBody
    package var membership: [UInt8]
    package var facts: [UInt8]
    package var runs: [UInt8]
    /// Redacted; nil with `--no-config`.
    package var configuration: [UInt8]?
    /// By name without `.yaml`.
    package var runbooks: [String: [UInt8]] = [:]

    package init(
        createdAt: ArchiveTime, tool: BackupManifest.Tool, cluster: BackupManifest.Cluster, source: BackupManifest.Source,
        raft: BackupManifest.Raft, stateFacts: BackupManifest.StateFacts, postgres: BackupManifest.Postgres, state: MemberBody,
        membership: [UInt8], facts: [UInt8], runs: [UInt8]
    ) {
        self.createdAt = createdAt
        self.tool = tool
        self.cluster = cluster
        self.source = source
        self.raft = raft
        self.stateFacts = stateFacts
        self.postgres = postgres
        self.state = state
        self.membership = membership
        self.facts = facts
        self.runs = runs
    }

    /// An archive ready to be written: its manifest and every member, in order.
    package struct Prepared: Sendable {
        package let manifest: BackupManifest
        let members: [(path: String, body: MemberBody)]
    }

    /// - Throws: `.invalidData` when a member or a field is not what the format allows.
    package func prepared() throws(BastionError) -> Prepared {
        var middle = [(path: ArchiveMember.state, body: state), (path: ArchiveMember.membership, body: MemberBody.bytes(membership))]
        if let configuration { middle.append((ArchiveMember.configuration, .bytes(configuration))) }
        for (name, bytes) in runbooks.sorted(by: { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }) {
            middle.append(("\(ArchiveMember.runbookFolder)\(name).yaml", .bytes(bytes)))
        }
        middle += [(ArchiveMember.facts, .bytes(facts)), (ArchiveMember.runs, .bytes(runs))]
        try check(middle)
        let files = middle.map { BackupManifest.File(path: $0.path, size: $0.body.size, sha256: $0.body.sha256) }
        var known = stateFacts
        known.sha256 = files[0].sha256
        let id = try BackupManifest.id(createdAt: createdAt, epoch: cluster.epoch, index: raft.index, files: files)
        let manifest = BackupManifest(id: id, contents: self, state: known, files: files)
        try refusing { () throws(BastionError) in try manifest.validate() }
        let document = (path: ArchiveMember.manifest, body: MemberBody.bytes(try CanonicalJSON.encode(manifest)))
        let listed = [(document.path, document.body.sha256)] + files.map { ($0.path, $0.sha256) }
        let checksums = (path: ArchiveMember.checksums, body: MemberBody.bytes(ChecksumList.text(listed)))
        return Prepared(manifest: manifest, members: [document] + middle + [checksums])
    }

    private func check(_ members: [(path: String, body: MemberBody)]) throws(BastionError) {
        try refusing { () throws(BastionError) in
            guard runbooks.count <= ArchiveMember.maximumRunbooks else {
                throw BastionError(.integrity, "more than \(ArchiveMember.maximumRunbooks) runbooks")
            }
            for (path, body) in members {
                guard ArchiveMember.rank(path) != nil else { throw BastionError(.integrity, "\"\(path)\" is not a known path") }
                guard body.size <= ArchiveMember.limit(path) else { throw BastionError(.integrity, "\"\(path)\" is too large") }
                guard ArchiveMember.isJSON(path) else { continue }
                var scanner = CanonicalScanner()
                try body.forEach { (piece) throws(BastionError) in try scanner.add(piece) }
                try scanner.finish()
                guard path == ArchiveMember.state else { continue }
                guard Set(scanner.topLevelKeys) == ArchiveMember.stateKeys else {
                    throw BastionError(.integrity, "the state has other top-level keys than an archive holds")
                }
            }
        }
    }

    /// What would be a damaged archive for a reader is a wrong input here.
    private func refusing(_ body: () throws(BastionError) -> Void) throws(BastionError) {
        do throws(BastionError) {
            try body()
        } catch {
            let reason = [error.message, error.detail].compactMap { $0 }.joined(separator: ": ")
            throw BastionError(.invalidData, "cannot make a backup of this content", detail: reason)
        }
    }
}

/// `checksums.sha256`: what `sha256sum -c` reads.
enum ChecksumList {
    static func text(_ files: [(path: String, sha256: String)]) -> [UInt8] {
        Array(files.map { "\($0.sha256)  \($0.path)\n" }.joined().utf8)
    }
}
