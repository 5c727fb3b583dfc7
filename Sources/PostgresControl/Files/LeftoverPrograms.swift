import ClusterModel
import Glibc

/// Jobs of a former daemon that still work on the data directory. They end with it as a rule, by the broken pipe.
enum LeftoverPrograms {
    private static let names: Set<String> = ["pg_basebackup", "pg_rewind", "initdb"]

    static func end(dataDirectory: String) throws(BastionError) {
        let deadline = Deadline.after(.seconds(5))
        while true {
            let found = try pids(dataDirectory)
            if found.isEmpty { return }
            guard !deadline.isOver else {
                throw BastionError(
                    .busy, "could not end an earlier job on \"\(dataDirectory)\"", detail: "pid \(found[0])")
            }
            for pid in found { kill(pid, SIGKILL) }
            usleep(20_000)
        }
    }

    private static func pids(_ dataDirectory: String) throws(BastionError) -> [pid_t] {
        let own = geteuid()
        return (try DurableFiles.list("/proc") ?? []).compactMap { name in
            guard let pid = pid_t(name), pid != getpid() else { return nil }
            var status = stat()
            guard stat("/proc/\(pid)", &status) == 0, status.st_uid == own else { return nil }
            let words = arguments(of: pid)
            guard let program = words.first, names.contains(DurableFiles.name(of: program)) else { return nil }
            return words.contains { belongs($0, dataDirectory) } ? pid : nil
        }
    }

    private static func belongs(_ word: String, _ dataDirectory: String) -> Bool {
        word == dataDirectory || word.hasPrefix(dataDirectory + ".clone-") || word == dataDirectory + ".init"
    }

    private static func arguments(of pid: pid_t) -> [String] {
        do {
            return (try DurableFiles.read("/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
        } catch {
            return []
        }
    }
}
