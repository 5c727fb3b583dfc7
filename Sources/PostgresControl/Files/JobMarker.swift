import ClusterModel
import FoundationEssentials

/// Lies beside the data directory from before a clone or rewind begins until the server streams again (D48).
struct JobMarker: Codable, Sendable {
    enum Kind: String, Codable { case clone, rewind }
    var kind: Kind
    /// Names the directory of a clone: `<data_dir>.clone-<id>`.
    var id: String
    /// The program ended well; what is missing is only the start as a standby.
    var isComplete: Bool

    /// As `PostgresFacts.unfinishedJob` shows it: `clone`, `rewind`, `clone-complete`, `rewind-complete`.
    var description: String { isComplete ? "\(kind.rawValue)-complete" : kind.rawValue }

    static func read(_ path: String) throws(BastionError) -> JobMarker? {
        guard let text = try DurableFiles.read(path) else { return nil }
        return try OwnJSON.decode(JobMarker.self, text, path)
    }

    func write(_ path: String) throws(BastionError) {
        try DurableFiles.write(try OwnJSON.encode(self, path), to: path)
    }
}

/// The data id and the directory it was drawn for (SE1). A directory that somebody replaced gets a new one.
struct DataIdentity: Codable, Sendable {
    var id: DataID
    /// Inode of the directory; nil from the beginning of a clone or rewind until the directory is seen complete.
    var inode: UInt64?

    static func read(_ path: String) throws(BastionError) -> DataIdentity? {
        guard let text = try DurableFiles.read(path) else { return nil }
        return try OwnJSON.decode(DataIdentity.self, text, path)
    }

    static func drawn() -> DataIdentity {
        var generator = SystemRandomNumberGenerator()
        return DataIdentity(id: DataID(rawValue: UInt128.random(in: 1...UInt128.max, using: &generator)), inode: nil)
    }

    func write(_ path: String) throws(BastionError) {
        try DurableFiles.write(try OwnJSON.encode(self, path), to: path)
    }
}

/// JSON of our own small files.
enum OwnJSON {
    static func encode(_ value: some Encodable, _ path: String) throws(BastionError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        } catch {
            throw BastionError(.internal, "could not encode \"\(path)\"")
        }
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, _ text: String, _ path: String
    ) throws(BastionError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw BastionError(.corrupt, "could not read \"\(path)\"", detail: "the file is not what pgbastion wrote")
        }
    }
}
