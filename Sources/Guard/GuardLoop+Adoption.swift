import ClusterModel
import FailoverCore

/// Servers that this guard did not start (AS4, AG5).
extension GuardLoop {
    /// Watched first and looked at second, as before a start: a file that vanishes in between is noticed.
    func adopt(_ order: GuardOrder, _ request: AdoptionRequest) {
        watchDataDirectory(request.dataDirectory)
        let mismatch = PostmasterIdentity.mismatch(with: request)
        if mismatch == nil { processes.setServer(dataDirectory: request.dataDirectory, program: request.program) }
        let signal = GuardFiles.standbySignalIsDurable(request.dataDirectory)
        feed(.order(order, standbySignal: signal, mismatch: mismatch))
    }

    func takeCustody(of pid: Int32) {
        guard processes.takeCustody(of: pid) else {
            return pending.append(.postmasterExited(waitStatus: PostmasterExit.unknownWaitStatus))
        }
        observePostmaster()
        pending.append(.postmasterStarted(pid: pid))
    }

    /// Just before a start: nobody else may have begun one.
    func countProcesses(of spec: PostmasterSpec) -> Int {
        processes.setServer(dataDirectory: spec.dataDirectory, program: spec.program)
        return processes.sweep(signal: 0)
    }
}
