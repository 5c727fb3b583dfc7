import Bastion
import Glibc
import Testing

extension ScenarioTests.ThreeNodes {
    /// What a cluster costs that has nothing to do.
    @Suite(.serialized) struct Idle {
        @Test func `an idle cluster writes nothing to its Raft files and takes little processor time and memory`() async throws {
            let cluster = try SuiteCluster.required()
            let sandbox = try await cluster.sandbox()
            do {
                try await sandbox.settled()
                // Leadership may still move away from the primary's node (RA17): that is a write.
                var last = fingerprint(sandbox)
                var since = ContinuousClock.now
                try await sandbox.wait("5 s without a write", seconds: 60) {
                    let now = fingerprint(sandbox)
                    if now != last {
                        last = now
                        since = ContinuousClock.now
                    }
                    return ContinuousClock.now - since > .seconds(5)
                }
                let processes = sandbox.members.flatMap { [sandbox.daemonPID($0), sandbox.guardPID($0)].compactMap { $0 } }
                try hold(processes.count == 6, "processes: \(processes)")
                let before = processes.map(ticks)
                let began = ContinuousClock.now
                try await sandbox.lasts(.seconds(20))
                let elapsed = Double((ContinuousClock.now - began).components.seconds)
                let after = processes.map(ticks)
                try hold(fingerprint(sandbox) == last, "written while idle: \(last) became \(fingerprint(sandbox))")
                let shares = zip(before, after).map { Double($1 - $0) / Double(sysconf(Int32(_SC_CLK_TCK))) / elapsed * 100 }
                let memory = processes.map(proportionalKiB)
                for (index, node) in sandbox.members.enumerated() {
                    Report.line(
                        "idle \(node.name): daemon \(tenths(shares[2 * index])) % of a core, guard \(tenths(shares[2 * index + 1])) %, "
                            + "PSS \(memory[2 * index]) KiB and \(memory[2 * index + 1]) KiB")
                    try hold(shares[2 * index] + shares[2 * index + 1] < 10, "\(node.name) is not idle: \(shares)")
                }
            } catch {
                await cluster.noteFailure("idle", error)
                throw error
            }
        }

        /// Size and time of change of every file that a Raft write would touch.
        private func fingerprint(_ sandbox: Sandbox) -> [String] {
            sandbox.members.flatMap { node in
                ["raft.db", "raft.db-wal", "stable.db", "stable.db-wal"].map { name in
                    var status = stat()
                    let path = "\(sandbox.layout.root(node))/raft/\(name)"
                    guard stat(path, &status) == 0 else { return "\(node.name)/\(name) -" }
                    return "\(node.name)/\(name) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
                }
            }
        }

        /// User and system time of a process, in clock ticks (proc(5), fields 14 and 15).
        private func ticks(_ pid: Int32) -> Int {
            let text = Shell.text("/proc/\(pid)/stat")
            guard let end = text.lastIndex(of: ")") else { return 0 }
            let fields = text[text.index(after: end)...].split(separator: " ")
            return (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
        }

        private func proportionalKiB(_ pid: Int32) -> Int {
            let row = Shell.text("/proc/\(pid)/smaps_rollup").split(separator: "\n").first { $0.hasPrefix("Pss:") }
            return row?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }

        private func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
    }
}
