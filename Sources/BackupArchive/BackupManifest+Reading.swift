import ClusterModel
import FoundationEssentials

extension BackupManifest {
    /// Limit: bytes of `manifest.json`.
    static let maximumBytes: Int64 = 1 << 20
    /// The newest schema of the state that this version reads.
    package static let newestStateSchema: Int64 = 1

    /// - Throws: `.invalidData` when it is not ours or of an unsupported version, `.integrity` when a field is wrong.
    package static func read(_ bytes: [UInt8]) throws(BastionError) -> BackupManifest {
        let manifest: BackupManifest
        do {
            let header = try JSONDecoder().decode(Header.self, from: Data(bytes))
            try header.check()
            manifest = try JSONDecoder().decode(BackupManifest.self, from: Data(bytes))
        } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.invalidData, "this is not the manifest of a pgbastion backup", detail: "\(error)")
        }
        try manifest.validate()
        return manifest
    }

    /// What must be known before anything else can be understood.
    private struct Header: Decodable {
        let format: String
        let version: String
        let minReader: String
        let isEncrypted: Bool

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            format = try container.decode(String.self, forKey: .format)
            version = try container.decode(String.self, forKey: .formatVersion)
            minReader = try container.decode(String.self, forKey: .minReader)
            isEncrypted = try !container.decodeNil(forKey: .encryption)
        }

        func check() throws(BastionError) {
            guard format == BackupManifest.format else {
                throw BastionError(.invalidData, "this is not a pgbastion backup", detail: "its format is \"\(format)\"")
            }
            guard let version = FormatVersion(version), let needed = FormatVersion(minReader),
                version.major == 1, needed.major == 1, needed.minor == 0
            else {
                throw BastionError(
                    .invalidData, "this version cannot read the backup", detail: "format \(version), readable from \(minReader)",
                    hint: "use a newer pgbastion")
            }
            guard !isEncrypted else {
                throw BastionError(.invalidData, "this version cannot read an encrypted backup", hint: "use a newer pgbastion")
            }
        }
    }

    private struct FormatVersion {
        let major: Int
        let minor: Int
        init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { Int($0) }
            guard parts.count == 2, "\(parts[0]).\(parts[1])" == text else { return nil }
            (major, minor) = (parts[0], parts[1])
        }
    }

    func validate() throws(BastionError) {
        guard state.schemaVersion <= BackupManifest.newestStateSchema else {
            throw BastionError(
                .invalidData, "this version cannot read the state in the backup",
                detail: "state schema \(state.schemaVersion), known up to \(BackupManifest.newestStateSchema)",
                hint: "use a newer pgbastion")
        }
        let numbers = [cluster.epoch, raft.term, raft.index, raft.configIndex, state.schemaVersion] + state.counts.values
        try require(numbers.allSatisfy { $0 >= 0 }, "a number is negative")
        try require(BackupManifest.isName(series, limit: 32), "series \"\(series)\" is not [a-z0-9-]{1,32}")
        try require(BackupManifest.isFileName(cluster.name), "the cluster name cannot be part of a file name")
        try require(labels.count <= 16, "more than 16 labels")
        for (key, value) in labels {
            let known = key.utf8.allSatisfy { BackupManifest.isNameByte($0) || $0 == UInt8(ascii: "_") }
            try require(known && (1...32).contains(key.utf8.count), "label \"\(key)\" is not [a-z0-9_-]{1,32}")
            try require(value.utf8.count <= 256, "the value of label \"\(key)\" has more than 256 bytes")
        }
        try require(!secrets.included, "it claims to hold secrets")
        let hashes = files.map(\.sha256) + [state.sha256]
        try require(hashes.allSatisfy(HexDigest.isSHA256), "a hash is not 64 hexadecimal digits")
        let id = try BackupManifest.id(createdAt: createdAt, epoch: cluster.epoch, index: raft.index, files: files)
        try require(id == self.id, "the id is \"\(self.id)\", computed \"\(id)\"")
    }

    private func require(_ condition: Bool, _ reason: String) throws(BastionError) {
        guard condition else { throw BastionError(.integrity, "the manifest of the backup is wrong", detail: reason) }
    }

    /// `<YYYYMMDDTHHMMSSZ>-e<epoch>-i<index>-<hash8>`
    static func id(createdAt: ArchiveTime, epoch: Int64, index: Int64, files: [File]) throws(BastionError) -> String {
        let hash = HexDigest.of(try CanonicalJSON.encode(files)).prefix(8)
        return "\(createdAt.compact)-e\(epoch)-i\(index)-\(hash)"
    }

    static func isName(_ text: some StringProtocol, limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
    }

    /// Safety: the cluster name becomes part of a path.
    private static func isFileName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".")
            && text.utf8.allSatisfy { byte in
                isNameByte(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || [0x2e, 0x5f].contains(byte)
            }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-")
    }
}
