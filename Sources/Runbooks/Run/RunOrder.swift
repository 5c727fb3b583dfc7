import ClusterModel
import Operations

/// A runbook with the hash of its text.
package struct LoadedRunbook: Sendable, Hashable {
    package var runbook: Runbook
    /// Of the file's bytes, hex.
    package var sha256: String
    package var name: String { runbook.name }

    package init(runbook: Runbook, sha256: String) {
        self.runbook = runbook
        self.sha256 = sha256
    }
}

/// What somebody asks for: which runbook, with what, and how.
package struct RunOrder: Sendable {
    package enum Mode: Sendable, Hashable {
        case start
        case resume(ResumeChoice)
        case rollback
        case abort
    }
    package struct ResumeChoice: Sendable, Hashable {
        /// A step whose outcome is not known is tried again, or counts as done.
        package var retriesStep = false
        package var skipsStep = false
        /// The manual step that a person has done.
        package var acknowledged: String?
        package var acceptsChanges = false
        package init() {}
    }

    package var runID: String
    package var main: LoadedRunbook
    /// Every runbook that can be called, by name.
    package var library: [String: LoadedRunbook]
    /// Resolved: typed values, null for what was not given.
    package var params: [String: JSONValue]
    package var user: String
    package var host: String
    package var version: String
    package var mode = Mode.start
    package var overrides: [String] = []
    package var allowsExec = false
    package var stepwise = false
    package var from: String?
    package var only: String?
    /// Nothing is called: preconditions that fail do not stop, and what is not known stays unknown.
    package var isPlan = false
    /// From the journal; empty for a new run.
    package var memory = RunMemory()
    package var journal = Journal()

    package init(
        runID: String, main: LoadedRunbook, library: [String: LoadedRunbook], params: [String: JSONValue], user: String, host: String,
        version: String = BuildInformation.version
    ) {
        self.runID = runID
        self.main = main
        self.library = library
        self.params = params
        self.user = user
        self.host = host
        self.version = version
    }
}
