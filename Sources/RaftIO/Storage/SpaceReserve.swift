import ClusterModel
import Glibc

/// The file `reserve`: disk space kept so that a full disk first raises an alarm and only later stops the node (ST7).
struct SpaceReserve {
    static let bytes = 16 * 1024 * 1024

    let path: String
    private(set) var isHeld: Bool

    /// Makes the reserve when it is missing; a disk too full for it leaves the store without one.
    init(directory: String) {
        path = "\(directory)/reserve"
        isHeld = SpaceReserve.allocate(path)
    }

    /// Gives the space back to the file system; false when that was done before.
    mutating func giveUp() -> Bool {
        guard isHeld else { return false }
        isHeld = false
        return unlink(path) == 0
    }

    private static func allocate(_ path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size >= off_t(bytes), status.st_blocks * 512 >= bytes {
            return true
        }
        if posix_fallocate(descriptor, 0, off_t(bytes)) == 0 { return true }
        unlink(path)
        return false
    }
}
