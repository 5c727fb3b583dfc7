import Glibc

/// PostgreSQL refuses to run as root. Tests that run as root give its processes, or themselves, to user `postgres`.
package enum ServiceUser {
    package static let name = "postgres"

    /// Makes this whole process the service user, for ever. Only for exit tests, which have a process of their own.
    package static func become() {
        guard geteuid() == 0 else { return }
        guard let entry = getpwnam(name) else { fatalError("there is no user \(name)") }
        let user = entry.pointee.pw_uid
        let group = entry.pointee.pw_gid
        guard initgroups(name, group) == 0, setgid(group) == 0, setuid(user) == 0 else {
            fatalError("could not become user \(name): \(String(cString: strerror(errno)))")
        }
        // A directory that user may stand in: PostgreSQL's programs look at where they are.
        chdir("/")
    }

    /// `command`, to be executed as the service user: unchanged, or behind `setpriv` when we are root.
    package static func wrapping(_ command: [String]) -> [String] {
        guard geteuid() == 0 else { return command }
        return ["/usr/bin/setpriv", "--reuid=\(name)", "--regid=\(name)", "--init-groups", "--"] + command
    }

    /// Gives a file or directory to the service user when we are root.
    package static func own(_ path: String) {
        guard geteuid() == 0, let entry = getpwnam(name) else { return }
        chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid)
    }
}
