import ClusterModel

/// Asks a running daemon to perform an operation; the client implements it over HTTP.
package protocol OperationInvoker: Sendable {
    /// The JSON envelope of `cli.md` section 6, also for failures the daemon reports; throws when none could be reached.
    func invoke(_ call: OperationCall) async throws(BastionError) -> [UInt8]
}

package struct OperationCall: Sendable {
    package var operation: String
    /// JSON object of the parameters.
    package var input: [UInt8]
    package var requestID: RequestID
    package var idempotencyKey: RequestID?
    package var forward: Bool
    package var dryRun: Bool
    /// nil: return when the operation was accepted.
    package var waitLimit: Duration?
    package var timeout: Duration
    /// `--reason`
    package var reason: String?
    /// `--override`: ids of checks.
    package var overrides: [String]
    /// The run of a runbook that asks, and the number of its lock.
    package var runID: String?
    package var fencing: UInt64?
    package init(
        operation: String, input: [UInt8], requestID: RequestID, idempotencyKey: RequestID? = nil, forward: Bool = true,
        dryRun: Bool = false, waitLimit: Duration? = nil, timeout: Duration, reason: String? = nil,
        overrides: [String] = []
    ) {
        self.operation = operation
        self.input = input
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.forward = forward
        self.dryRun = dryRun
        self.waitLimit = waitLimit
        self.timeout = timeout
        self.reason = reason
        self.overrides = overrides
    }
}
