import ClusterModel

/// What one guard works with; also the command line of the hidden subcommand `guard`.
package struct GuardArguments: Sendable, Hashable {
    /// The guard keeps `guard/LOCK`, `guard/state` and `guard/guard.log` in it.
    package var stateDirectory: String
    /// The socket `guard.sock` is made in it.
    package var runDirectory: String
    package var dataDirectory: String
    package var clusterID: ClusterID?
    /// For tests: the loop runs on a thread of a foreign process, so nothing that concerns the whole process is changed
    /// (no subreaper, locked memory, signals, parent-death signal), and `run` returns.
    package var inProcess = false
    /// Without a daemon and without a server the guard ends after this time.
    package var idleLimit = Duration.seconds(60)

    package init(
        stateDirectory: String, runDirectory: String, dataDirectory: String, clusterID: ClusterID? = nil,
        inProcess: Bool = false, idleLimit: Duration = .seconds(60)
    ) {
        self.stateDirectory = stateDirectory
        self.runDirectory = runDirectory
        self.dataDirectory = dataDirectory
        self.clusterID = clusterID
        self.inProcess = inProcess
        self.idleLimit = idleLimit
    }

    package var directory: String { stateDirectory + "/guard" }
    package var lockPath: String { directory + "/LOCK" }
    package var statePath: String { directory + "/state" }
    package var logPath: String { directory + "/guard.log" }
    package var socketPath: String { runDirectory + "/guard.sock" }

    /// The arguments after the subcommand's name.
    package var commandLine: [String] {
        let identity = clusterID.map { ["--cluster-id", $0.description] } ?? []
        return ["--state-dir", stateDirectory, "--run-dir", runDirectory, "--data-dir", dataDirectory] + identity
    }

    /// Reads what `commandLine` gives.
    package init(commandLine: [String]) throws(BastionError) {
        var values: [String: String] = [:]
        var rest = commandLine[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else {
                throw BastionError(.usage, "option \"\(option)\" of \"guard\" needs a value")
            }
            values[option] = value
        }
        guard let state = values["--state-dir"], let run = values["--run-dir"], let data = values["--data-dir"] else {
            throw BastionError(.usage, "\"guard\" needs --state-dir, --run-dir and --data-dir")
        }
        self.init(
            stateDirectory: state, runDirectory: run, dataDirectory: data,
            clusterID: values["--cluster-id"].flatMap { ClusterID($0) })
    }
}
