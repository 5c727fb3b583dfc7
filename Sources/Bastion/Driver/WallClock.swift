import ClusterModel
import Glibc

/// Milliseconds since 1970; display only (D9).
package func wallClockMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Blocks the calling thread; only for threads that belong to one adapter.
func pause(milliseconds: UInt32) { _ = usleep(milliseconds * 1000) }

/// Makes a directory and its parents, mode 0755 as the umask allows; an existing one is success.
func makeDirectories(_ path: String) throws(BastionError) {
    var partial = ""
    for part in path.split(separator: "/") {
        partial += "/" + part
        guard mkdir(partial, 0o755) == 0 || errno == EEXIST else {
            throw BastionError(.io, "could not make the directory \"\(partial)\"", detail: String(cString: strerror(errno)))
        }
    }
}
