import CLinux
import ClusterModel
import FailoverCore
import FoundationEssentials
import Glibc

/// The guard's lock and state file (GU4).
enum GuardFiles {
    /// Makes the guard's directories, readable by the service user only.
    static func prepare(_ arguments: GuardArguments) throws(BastionError) {
        for path in [arguments.stateDirectory, arguments.directory, arguments.runDirectory]
        where mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw failure("could not create directory \"\(path)\"")
        }
    }

    /// The lock only one guard of a state directory has; its descriptor is kept until the process ends.
    static func lock(_ arguments: GuardArguments) throws(BastionError) -> Int32 {
        let descriptor = pgb_flock_exclusive(arguments.lockPath)
        guard descriptor >= 0 else {
            if errno == EWOULDBLOCK {
                throw BastionError(.locked, "another guard holds \"\(arguments.lockPath)\"")
            }
            throw failure("could not lock \"\(arguments.lockPath)\"")
        }
        return descriptor
    }

    /// What an earlier guard left; nil without a file. A file that cannot be read is reported and counts as none:
    /// tokens are bound to the guard's incarnation, the file only adds a second reason to refuse.
    static func load(_ path: String) -> SavedGuardState? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = fread(&bytes, 1, bytes.count, file)
        do {
            return try GuardWire.decode(SavedGuardState.self, from: bytes[..<count])
        } catch {
            GuardLog.write("guard.state_unreadable path=\(path)")
            return nil
        }
    }

    static func save(_ state: SavedGuardState, to path: String) {
        do {
            let bytes = try GuardWire.encode(state)
            guard pgb_write_durably(path, bytes, bytes.count, 0o600) == 0 else {
                return GuardLog.write("guard.state_not_written path=\(path) errno=\(errno)")
            }
        } catch {
            GuardLog.write("guard.state_not_written path=\(path)")
        }
    }

    /// AG14: whether `standby.signal` is there, and after this call durable.
    static func standbySignalIsDurable(_ dataDirectory: String) -> Bool {
        pgb_fsync_path(dataDirectory + "/standby.signal") == 0 && pgb_fsync_path(dataDirectory) == 0
    }

    static func failure(_ message: String) -> BastionError {
        BastionError(.io, message, detail: String(cString: strerror(errno)))
    }
}
