import ClusterModel
import FailoverCore

extension CoreBench {
    static let strangerPID: Int32 = 200

    /// Somebody starts a server behind the guard's back; its pid file is noticed.
    mutating func strangerStarts(writable: Bool, noticed: Bool = true) {
        stranger = StrangerServer(
            pid: Self.strangerPID, mayBeWritable: writable, hasStandbySignal: !writable, systemIdentifier: 42)
        if noticed { feed(.rogueSignal(.foreignPostmaster)) }
    }

    @discardableResult
    mutating func adopt(_ role: AdoptionRequest.Role, standbySignal: Bool? = nil, mismatch: String? = nil) -> String? {
        let request = AdoptionRequest(
            role: role, pid: Self.strangerPID, program: "/usr/bin/postgres", dataDirectory: "/data", port: 5432)
        return feed(.order(.adopt(request), standbySignal: standbySignal, mismatch: mismatch))
    }

    /// A writable server that runs since before the guard, in a cluster without a token.
    static func adopted() -> CoreBench {
        var bench = CoreBench(settled: false)
        bench.strangerStarts(writable: true, noticed: false)
        bench.feed(.tick)
        bench.adopt(.firstPrimary)
        return bench
    }
}
