import CLinux
import ClusterModel
import Glibc

/// GU1 without a guard: what is left of a server whose guard is dead.
package enum GuardTakeover {
    /// Ends every process with `dataDirectory` as working directory and a `postgres` executable (or `programName`).
    ///
    /// Also the daemon's sweep after its guard died (4.7). Blocks the calling thread.
    /// - Parameter patience: How long the processes may end by themselves before SIGKILL.
    /// - Returns: Whether two passes 20 ms apart found none.
    package static func endServer(
        dataDirectory: String, programName: String = "postgres",
        patience: Duration = .milliseconds(150), within limit: Duration = .seconds(5)
    ) -> Bool {
        let directory = ServerProcesses.canonical(dataDirectory)
        let begin = SystemClock.now()
        var emptyPasses = 0
        while SystemClock.now().since(begin) < limit {
            let kills = SystemClock.now().since(begin) >= patience
            let count = ServerProcesses.sweep(
                dataDirectory: directory, programName: programName, signal: kills ? SIGKILL : 0)
            emptyPasses = count == 0 ? emptyPasses + 1 : 0
            if emptyPasses == 2 { return true }
            _ = usleep(20_000)
        }
        return false
    }
}
