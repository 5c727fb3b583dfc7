import CLibArchive
import ClusterModel

/// Return values of libarchive: everything but `ARCHIVE_OK` is an error, a warning too.
enum LibArchive {
    static let noMemory = BastionError(.io, "could not allocate memory for an archive")

    static func check(_ result: Int32, _ archive: OpaquePointer) throws(BastionError) {
        guard result == ARCHIVE_OK else { throw failure(archive) }
    }

    static func failure(_ archive: OpaquePointer) -> BastionError {
        // Some failures, such as a cut file, leave no text.
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "no reason was given"
        return BastionError(.integrity, "the backup archive is damaged", detail: text)
    }
}
