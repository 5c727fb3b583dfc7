import BackupArchive
import ClusterModel
import FailoverCore
import NodeCore
import Operations
import RaftCore
import Synchronization

/// Builds archives in the daemon: the state comes from the core at one index, digests from every voter (backup-restore.md, 3).
final class ArchiveDesk: Sendable {
    /// Limit: how long the mark may take to be applied on this node.
    private static let markLimit: Duration = .seconds(10)
    /// Limit: for each voter's digest.
    private static let digestLimit: Duration = .seconds(2)

    private let driver: NodeDriver
    private let gateway: DaemonGateway
    private let configurationPath: String
    private let dataDirectory: String?
    /// Where what is large is spooled.
    private let folder: String
    private let waiting = Mutex<[String: CheckedContinuation<ArchivedSnapshot?, Never>]>([:])

    init(driver: NodeDriver, gateway: DaemonGateway, configurationPath: String, dataDirectory: String?, folder: String) {
        self.driver = driver
        self.gateway = gateway
        self.configurationPath = configurationPath
        self.dataDirectory = dataDirectory
        self.folder = folder
    }

    /// From the core.
    func deliver(_ snapshot: ArchivedSnapshot) {
        waiting.withLock { $0.removeValue(forKey: snapshot.id) }?.resume(returning: snapshot)
    }

    func build(_ request: ArchiveRequest, _ metadata: RequestMetadata) async throws(BastionError) -> BuiltArchive {
        let snapshot = try await snapshot(request.mode, metadata)
        let view = await gateway.view()
        let answers = request.mode == .stale ? [] : await digests(of: snapshot, metadata)
        let me = view.node.rawValue
        let source = ArchiveSource(
            state: snapshot.state, index: snapshot.index, term: snapshot.term, configIndex: snapshot.configIndex,
            members: snapshot.members,
            source: .init(
                node: me, role: view.raft.isLeader ? .leader : .follower, mode: request.mode == .stale ? .stale : .linearizable,
                staleSeconds: request.mode == .stale ? age(view) : nil),
            nodes: view.nodes, capturedAt: view.capturedAt, dataDirectory: dataDirectory, configurationPath: configurationPath,
            request: request)
        let contents = try source.contents(
            agreement: { sha256 in
                var agreement = ArchiveSource.Agreement()
                if request.mode == .linearizable, snapshot.members.contains(where: { $0.name.rawValue == me && $0.suffrage == .voter }) {
                    agreement.agreed = [me]
                }
                for (name, answer) in answers {
                    switch answer {
                    case nil: agreement.unreachable.append(name)
                    case sha256: agreement.agreed.append(name)
                    default: agreement.differing.append(name)
                    }
                }
                return agreement
            }, now: .now)
        return try write(try contents.prepared())
    }

    private func write(_ prepared: BackupContents.Prepared) throws(BastionError) -> BuiltArchive {
        let spool = Spool(folder: folder)
        try ArchiveWriter.write(prepared) { (piece) throws(BastionError) in try spool.append(piece) }
        let position = Mutex<Int64>(0)
        return BuiltArchive(name: prepared.manifest.archiveName, size: UInt64(spool.size), sha256: spool.sha256) {
            () throws(BastionError) -> [UInt8] in
            let piece = try spool.bytes(at: position.withLock { $0 })
            position.withLock { $0 += Int64(piece.count) }
            return piece
        }
    }

    /// Null while no leader was ever heard.
    private func age(_ view: ClusterView) -> Int64? {
        guard view.raft.isLeader || view.raft.lastContactMilliseconds != nil else { return nil }
        return view.raft.isLeader ? 0 : Int64(view.staleSeconds.rounded(.up))
    }

    // MARK: the state

    private func snapshot(_ mode: ArchiveRequest.Mode, _ metadata: RequestMetadata) async throws(BastionError) -> ArchivedSnapshot {
        let id = "archive-\(UInt64.random(in: .min ... .max))"
        let marking = Mutex<BastionError?>(nil)
        let task = Task {
            guard mode == .linearizable else { return }
            do throws(BastionError) {
                var own = metadata
                own.idempotencyKey = nil
                _ = try await gateway.submit(.digestMark(id: id), metadata: own, forward: true)
            } catch {
                marking.withLock { $0 = error }
                giveUp(id)
            }
        }
        let timer = Task {
            do { try await Task.sleep(for: Self.markLimit) } catch { return }
            giveUp(id)
        }
        defer { timer.cancel() }
        let found = await withCheckedContinuation { continuation in
            waiting.withLock { $0[id] = continuation }
            driver.submit(mode == .stale ? .archiveNow(id: id) : .awaitArchive(id: id))
        }
        if let found { return found }
        _ = await task.value
        throw marking.withLock { $0 }.map(Self.withoutLeader)
            ?? BastionError(
                .timeout, "this node did not apply the mark in time", detail: "waited \(Self.markLimit.inSeconds) s",
                hint: "`pgbastion raft status`, or take what this node has with --stale")
    }

    private static func withoutLeader(_ error: BastionError) -> BastionError {
        guard error.code.exitStatus == 5 else { return error }
        return BastionError(
            .noLeader, "the state cannot be confirmed by a quorum", detail: error.message,
            hint: "wait with `pgbastion wait leader`, or take what this node has with --stale")
    }

    private func giveUp(_ id: String) { waiting.withLock { $0.removeValue(forKey: id) }?.resume(returning: nil) }

    // MARK: agreement

    /// The digest of every other voter at the archive's index; nil of one that did not answer in time.
    private func digests(of snapshot: ArchivedSnapshot, _ metadata: RequestMetadata) async -> [(name: String, sha256: String?)] {
        let others = snapshot.members.filter { $0.suffrage == .voter && $0.name != gateway.me }.map(\.name)
        return await withTaskGroup(of: (String, String?).self) { group in
            for node in others {
                group.addTask { [gateway] in
                    do throws(BastionError) {
                        let reply = try await gateway.ask(
                            node, .inspect(.digestAt(index: snapshot.index)), metadata: metadata, limit: Self.digestLimit)
                        guard case .inspected(.digest(let mark)) = reply else { return (node.rawValue, nil) }
                        return (node.rawValue, mark.sha256)
                    } catch {
                        return (node.rawValue, nil)
                    }
                }
            }
            var answers: [(name: String, sha256: String?)] = []
            for await answer in group { answers.append(answer) }
            return answers
        }
    }
}
