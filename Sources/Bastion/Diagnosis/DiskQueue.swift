import Dispatch

/// Where the disk is tried out: one at a time, and nothing else waits for it.
enum DiskQueue {
    static let shared = DispatchQueue(label: "pgbastion.doctor.disk")
}
