import Glibc
import PostgresTestKit

/// Machines on one network, as the guide's reader has them: each with a name, an address, a root of its own (over this
/// system's, thrown away at the end), its own processes and its own network. Everything ends when process 1 of each ends.
///
/// Needs root, for namespaces. Nothing outside the namespaces is changed.
final class Lab: Sendable {
    let directory: String
    let machines: [Machine]
    /// Machines beside the cluster.
    let others: [Machine]
    private let bridge: TestProcess
    private let watcher: TestProcess

    /// - Parameters:
    ///   - names: Machine k (from 1) gets the address 10.0.1.k.
    ///   - others: They get the addresses after those.
    init(_ names: [String], others: [String] = [], program: String) throws {
        try hold(geteuid() == 0, "machines are made of namespaces, which needs root: run the tests as root")
        directory = "/tmp/pgbastion-guide-\(getpid())"
        let files = directory + "/files"
        try Lab.shell(
            "mkdir -p '\(files)' && cp '\(program)' '\(files)/pgbastion' && strip '\(files)/pgbastion'; cp '\(GuideText.machineFolder)'/* '\(files)/'"
        )
        let packaging = PackageTree.root + "/packaging"
        try Lab.shell("cp '\(packaging)/pgbastion.service.in' '\(packaging)/post-install.sh' '\(files)/'")
        try Lab.shell("ssh-keygen -q -t ed25519 -N '' -f '\(files)/id_ed25519'")
        var hosts = "127.0.0.1 localhost\n"
        for (index, name) in (names + others).enumerated() { hosts += "10.0.1.\(index + 1) \(name)\n" }
        try Lab.shell("printf '%s' \"$HOSTS\" > '\(files)/hosts'", ["HOSTS": hosts])
        bridge = TestProcess.start(["/usr/bin/unshare", "--net", "--fork", "--kill-child", "/bin/sleep", "3600"])
        let switchPID = try Lab.child(of: bridge.pid)
        try Lab.shell("nsenter -t \(switchPID) -n sh -c 'ip link set lo up; ip link add br0 type bridge; ip link set br0 up'")
        var made: [Machine] = []
        for (index, name) in (names + others).enumerated() {
            made.append(try Machine.boot(name: name, number: index + 1, files: files, directory: directory, switchPID: switchPID))
        }
        machines = Array(made.prefix(names.count))
        self.others = Array(made.dropFirst(names.count))
        watcher = Lab.watch(over: [bridge.pid] + made.map(\.keeperPID))
        for machine in made { try machine.waitUntilReady() }
    }

    /// Ends what was started when this process ends, however it ends.
    private static func watch(over processes: [Int32]) -> TestProcess {
        let script = "while [ -d /proc/\(getpid()) ]; do sleep 1; done; kill -9 \(processes.map(String.init).joined(separator: " "))"
        return TestProcess.start(["/bin/bash", "-c", script])
    }

    func end() {
        for machine in machines + others { machine.powerOff() }
        watcher.send(SIGKILL)
        _ = watcher.waitForExit()
        bridge.send(SIGKILL)
        _ = bridge.waitForExit()
        _ = Command.run(["/bin/rm", "-rf", directory])
    }

    subscript(_ name: String) -> Machine {
        guard let machine = (machines + others).first(where: { $0.name == name }) else { preconditionFailure("no machine \(name)") }
        return machine
    }

    @discardableResult
    static func shell(_ script: String, _ environment: [String: String] = [:]) throws -> String {
        let result = Command.run(["/bin/bash", "-c", script], environment: environment)
        try hold(result.status == 0, "`\(script)` ended with \(result.status): \(result.errors)")
        return result.output
    }

    /// The process that `unshare --fork` made.
    static func child(of pid: Int32) throws -> Int32 {
        var found: Int32?
        try eventually("a child of process \(pid)", seconds: 10) {
            found = Int32(Command.text("/proc/\(pid)/task/\(pid)/children").trimmed)
            return found != nil
        }
        guard let found else { throw GuideFailure("process \(pid) has no child") }
        return found
    }
}

/// One machine of the lab.
final class Machine: Sendable {
    let name: String
    let address: String
    let log: String
    private let keeper: TestProcess
    var keeperPID: Int32 { keeper.pid }
    /// Process 1 of the machine, as this system numbers it.
    private let first: Int32

    static func boot(name: String, number: Int, files: String, directory: String, switchPID: Int32) throws -> Machine {
        let log = "\(directory)/\(name).log"
        let keeper = TestProcess.start(
            [
                "/usr/bin/unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--net", "/bin/bash",
                files + "/init.sh",
                name, files,
            ], environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], logFile: log)
        let first = try Lab.child(of: keeper.pid)
        let machine = Machine(name: name, address: "10.0.1.\(number)", log: log, keeper: keeper, first: first)
        try Lab.shell("nsenter -t \(switchPID) -n ip link add port\(number) type veth peer name eth0 netns \(first)")
        try Lab.shell("nsenter -t \(switchPID) -n sh -c 'ip link set port\(number) master br0; ip link set port\(number) up'")
        try Lab.shell("nsenter -t \(first) -n sh -c 'ip address add \(machine.address)/24 dev eth0; ip link set eth0 up'")
        return machine
    }

    private init(name: String, address: String, log: String, keeper: TestProcess, first: Int32) {
        self.name = name
        self.address = address
        self.log = log
        self.keeper = keeper
        self.first = first
    }

    func waitUntilReady() throws {
        do {
            try eventually("machine \(name) to be ready", seconds: 60) { access("/proc/\(first)/root/run/machine/ready", F_OK) == 0 }
        } catch {
            throw GuideFailure("\(error): \(Command.text(log))")
        }
    }

    /// The power cord is pulled: every process of the machine ends at once.
    func powerOff() {
        kill(first, SIGKILL)
        keeper.send(SIGKILL)
        _ = keeper.waitForExit()
    }

    /// Runs a script as a person at this machine does.
    func run(_ script: String, as user: String = "root", environment: [String: String] = [:], limit: Duration = .seconds(180))
        -> Command.Result
    {
        var enter = ["/usr/bin/nsenter", "-t", "\(first)", "-m", "-u", "-i", "-n", "-p", "-r", "-w"]
        if user != "root" { enter += ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--init-groups", "--"] }
        return Command.run(enter + ["/bin/bash", "-c", script], environment: environment, limit: limit)
    }

    /// The output of a script that must succeed.
    @discardableResult
    func succeed(_ script: String, environment: [String: String] = [:]) throws -> String {
        let result = run(script, environment: environment)
        try hold(result.status == 0, "\(name): `\(script)` ended with \(result.status): \(result.output) \(result.errors)")
        return result.output
    }

    /// One value of a route's answer, by a jq filter.
    func ask(_ path: String, _ filter: String) throws -> String {
        try succeed("curl -s --max-time 5 'http://127.0.0.1:8080\(path)' | jq -r '\(filter)'").trimmed
    }

    func write(_ text: String, to path: String, mode: String = "0644") throws {
        try succeed("printf '%s' \"$TEXT\" > '\(path)' && chmod \(mode) '\(path)'", environment: ["TEXT": text])
    }

    var journal: String { run("cat /var/log/pgbastion.journal").output }
}
