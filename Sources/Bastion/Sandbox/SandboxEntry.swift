import CLinux
import ClusterModel
import FoundationEssentials
import Glibc
import PostgresControl

/// The sandbox as commands and tests use it: as an unprivileged user, with a copy of this binary of its own.
package enum SandboxEntry {
    package static let defaultDirectory = "/tmp/pgbastion-sandbox"

    package struct Found: Sendable {
        package var directory: String
        package var nodes: Int
        package var running: Int
    }

    /// Makes or resumes a sandbox. Root becomes user `postgres` first, since PostgreSQL refuses to run as root.
    ///
    /// - Parameter binary: The binary to run; it is copied into the sandbox, where that user can reach it.
    package static func make(
        directory: String, nodes: Int, binary: String = DaemonEntry.ownProgram(), extraConfiguration: String = "",
        log: @escaping @Sendable (String) -> Void
    ) throws(BastionError) -> Sandbox {
        try makeDirectories(directory + "/bin")
        let program = directory + "/bin/pgbastion"
        if binary != program { try copy(binary, to: program) }
        try becomeServiceUser(owning: directory)
        return try Sandbox.create(
            directory: directory, nodes: nodes, extraConfiguration: extraConfiguration, program: program, log: log)
    }

    package static func open(_ directory: String, log: @escaping @Sendable (String) -> Void) throws(BastionError) -> Sandbox {
        if getuid() == 0 { try becomeServiceUser(owning: nil) }
        return try Sandbox.open(directory, program: directory + "/bin/pgbastion", log: log)
    }

    /// The sandboxes in the usual place.
    package static func list() -> [Found] {
        TextFiles.entries("/tmp").filter { $0.hasPrefix("pgbastion-") }.compactMap { name in
            let directory = "/tmp/" + name
            do throws(BastionError) {
                let sandbox = try Sandbox.open(directory, program: directory + "/bin/pgbastion")
                let running = sandbox.layout.nodes.filter { sandbox.daemonPID($0) != nil }.count
                return Found(directory: directory, nodes: sandbox.layout.nodes.count, running: running)
            } catch {
                return nil
            }
        }
    }

    package static func kill(_ sandbox: Sandbox, _ node: SandboxNode, _ what: String) throws(BastionError) {
        guard what != "node" else { return sandbox.killNode(node) }
        try signal(sandbox, node, what, SIGKILL)
    }

    package static func freeze(_ sandbox: Sandbox, _ node: SandboxNode, _ what: String, thaw: Bool) throws(BastionError) {
        try signal(sandbox, node, what, thaw ? SIGCONT : SIGSTOP)
    }

    private static func signal(_ sandbox: Sandbox, _ node: SandboxNode, _ what: String, _ number: Int32) throws(BastionError) {
        guard let process = Sandbox.Process(rawValue: what) else { throw BastionError(.usage, "unknown process \"\(what)\"") }
        guard sandbox.signal(number, process, node) else {
            throw BastionError(.notFound, "the \(what) of \"\(node.name)\" does not run")
        }
    }

    /// The demo, on a cluster of its own that is stopped and removed afterwards.
    package static func demo(log: @escaping @Sendable (String) -> Void) async throws(BastionError) -> Int32 {
        try await withThrowAway("demo", log: log) { sandbox throws(BastionError) in
            try await SandboxDemo(sandbox: sandbox, log: log).run()
        }
    }

    /// The outages of performance.md section 1, measured on a cluster of its own.
    package static func measure(
        rounds: Int, log: @escaping @Sendable (String) -> Void
    ) async throws(BastionError) -> Int32 {
        try await withThrowAway("measure", log: log) { sandbox throws(BastionError) in
            try await OutageMeasurement(sandbox: sandbox, rounds: rounds, log: log).run()
        }
    }

    private static func withThrowAway(
        _ name: String, log: @escaping @Sendable (String) -> Void,
        _ body: (Sandbox) async throws(BastionError) -> Int32
    ) async throws(BastionError) -> Int32 {
        let directory = "/tmp/pgbastion-\(name)-\(getpid())"
        let sandbox = try make(directory: directory, nodes: 3, log: log)
        do throws(BastionError) {
            let status = try await body(sandbox)
            await sandbox.stop()
            sandbox.remove()
            return status
        } catch {
            await sandbox.stop()
            log("the logs are in \(directory)")
            throw error
        }
    }

    // MARK: The unprivileged user

    private static func becomeServiceUser(owning directory: String?) throws(BastionError) {
        guard getuid() == 0 else { return }
        guard let user = getpwnam("postgres") else {
            throw BastionError(
                .invalidConfiguration, "there is no user \"postgres\"", hint: "install PostgreSQL: apt-get install postgresql")
        }
        if let directory {
            for path in [directory, directory + "/bin", directory + "/bin/pgbastion"] {
                guard chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
                    throw BastionError(.io, "could not give \"\(path)\" to user \"postgres\"", detail: String(cString: strerror(errno)))
                }
            }
        }
        guard pgb_become_user("postgres") == 0 else {
            throw BastionError(.io, "could not become user \"postgres\"", detail: String(cString: strerror(errno)))
        }
    }

    /// Linked where the file system allows, else copied.
    private static func copy(_ from: String, to: String) throws(BastionError) {
        unlink(to)
        do {
            try Data(contentsOf: URL(filePath: from)).write(to: URL(filePath: to))
            chmod(to, 0o755)
        } catch {
            throw BastionError(.io, "could not copy \"\(from)\" to \"\(to)\"", detail: "\(error)")
        }
    }
}
