import ClusterModel
import FailoverCore
import NodeCore
import Operations
import PostgresControl
import RaftCore

/// Answers what this one node is asked about its log, its state and its PostgreSQL.
struct NodeInspector: Sendable {
    let driver: NodeDriver
    let postgres: PostgresLink?

    func answer(_ inspection: Inspection, _ metadata: RequestMetadata) async throws(BastionError) -> InspectionReply {
        switch inspection {
        case .digest: return .digest(try await digest())
        case .release: return .release(version: BuildInformation.version, commit: BuildInformation.commit)
        case .entries(let last): return .entries(await driver.look { $0.logEntries(last: last) })
        case .snapshot:
            _ = try await driver.request(.snapshot, metadata, peer: nil).get()
            let mark = await driver.look { ($0.raft.term.rawValue, $0.raft.appliedIndex.rawValue) }
            return .snapshot(term: mark.0, index: mark.1)
        case .checkpoint: return try await checkpoint()
        case .dropSlot(let name):
            try await server().dropSlot(name)
            postgres?.poke()
            return .done
        case .checkSettings(let values): return .problems(try await server().problems(of: values))
        case .settings(let names): return .settings(try await server().settings(names))
        case .outcome(let request): return .outcome(await driver.look { $0.outcome(of: request) })
        case .digestAt(let index): return .digest(try await digest(at: index))
        }
    }

    /// A mark that is just passed is digested beside the core: it is waited for.
    private func digest(at index: UInt64) async throws(BastionError) -> StateMark {
        for _ in 0..<30 {
            if let mark = await driver.look({ $0.mark(at: index) }) { return mark }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
        }
        throw BastionError(.notFound, "no digest at index \(index) is known here", hint: "the last 16 marks are kept")
    }

    /// The state is copied on the core's queue and digested beside it.
    private func digest() async throws(BastionError) -> StateMark {
        let (state, index) = await driver.look { ($0.state, $0.raft.appliedIndex.rawValue) }
        do {
            return StateMark(index: index, sha256: try StateCodec.digest(of: state))
        } catch {
            throw BastionError(.internal, "could not encode the state", detail: "\(error)")
        }
    }

    private func checkpoint() async throws(BastionError) -> InspectionReply {
        let server = try server()
        let clock = ContinuousClock()
        let start = clock.now
        if case .failed(let error) = await server.perform(.checkpoint) { throw error }
        let elapsed = start.duration(to: clock.now)
        return .checkpoint(lsn: await server.facts().control?.checkpointLSN, seconds: elapsed.inSeconds)
    }

    private func server() throws(BastionError) -> PostgresServer {
        guard let server = postgres?.server else {
            throw BastionError(.preconditionFailed, "this node is a witness: it has no PostgreSQL")
        }
        return server
    }
}
