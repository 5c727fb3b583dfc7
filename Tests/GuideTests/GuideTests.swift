import Glibc
import Synchronization
import Testing

/// Every bash block of the operations guide, run as written, in the guide's order, on three machines with real PostgreSQL.
///
/// `make guide` runs these tests alone and prints the table of blocks. They need root, for the machines' namespaces, and a
/// process of their own.
@Suite(.serialized, .guideLab) struct GuideTests {
    var cluster: GuideCluster { get throws { try GuideLab.cluster() } }

    @Test func `the copy of the guide whose lines are run equals the guide, where it is present (GD13)`() {
        #expect(GuideText.original.isEmpty || GuideText.copy == GuideText.original)
        #expect(GuideText.blocks.count == 29)
    }

    // MARK: Cluster bootstrap and membership
    @Test func `the first node of an empty machine leads (P01)`() throws { try cluster.bootstrapFirst() }
    @Test func `an additional node joins and streams, asked over the network (P02, E03, GD1)`() throws { try cluster.bootstrapAdditional() }
    @Test func `a third node is added (P04)`() throws { try cluster.addNode() }
    @Test func `the primary's node is removed after a switchover and its state deleted (P05)`() throws { try cluster.removeNode() }

    // MARK: Roles
    @Test func `a manual failover works while paused with the primary's machine dead (P06)`() throws { try cluster.manualFailover() }
    @Test func `a switchover goes to the node that was named (P07)`() throws { try cluster.switchover() }
    @Test func `pause and resume are the same on every node (P08)`() throws { try cluster.pauseAndResume() }

    // MARK: Troubleshooting
    @Test func `a stopped PostgreSQL is found by the three looks of the guide (P21)`() throws { try cluster.healthCheckFailures() }
    @Test func `peers and ports are looked at (P22)`() throws { try cluster.noLeader() }
    @Test func `the routing table names the primary, and a failover fences before it promotes (P23)`() throws { try cluster.splitBrain() }
    @Test func `the address is on the leader, and its absence elsewhere has a reason (P24)`() throws { try cluster.vipNotAssigned() }
    @Test func `slots and senders are seen by API and psql (P25)`() throws { try cluster.highLag() }
    @Test func `the journal of the unit has the guide's phrases (P27, L06)`() throws { try cluster.logPatterns() }
    @Test func `a request id is found in the logs of every node that acted (L05)`() throws { try cluster.correlating() }

    // MARK: Upgrades
    @Test func `the upgrade is rolling: PostgreSQL is not restarted and nothing fails over (P29)`() throws { try cluster.rollingUpgrade() }
    @Test func `a new cluster follows the old one and takes over (P32)`() throws { try cluster.blueGreen() }
    @Test func `a container is replaced by a new one that rejoins from its volume (P34)`() throws { try cluster.containers() }
    @Test func `every look after an upgrade succeeds (P35)`() throws { try cluster.postUpgrade() }

    // MARK: Backup and recovery
    @Test func `the daemon's directory is copied while it is stopped (P11)`() throws { try cluster.filesystemBackup() }
    @Test func `the newest snapshot is copied while the daemon runs (P12)`() throws { try cluster.liveBackup() }
    @Test func `the backup script makes an archive, also from cron (P13, F05)`() throws { try cluster.backupScript() }
    @Test func `a lost node comes back without an archive (P10, P15)`() throws { try cluster.restoreOneNode() }
    @Test func `after a complete loss a copy put back goes on as a new cluster, paused (P17)`() throws { try cluster.restoreAfterLoss() }
    @Test func `an older copy put back on one node goes on as a new cluster, paused (P18)`() throws { try cluster.pointInTime() }
    @Test func `a rolled back node whose old copy was put back rejoins by itself (P33)`() throws { try cluster.rollback() }
    @Test func `a cluster that lost its majority is founded again around the data of one node (P19)`() throws { try cluster.lostQuorum() }
    @Test func `a corrupted primary is replaced and rebuilt (P20)`() throws { try cluster.primaryCorruption() }
}

/// The lab of the suite, made at its beginning and ended at its end; the table of blocks is printed last.
enum GuideLab {
    private static let present = Mutex<GuideCluster?>(nil)

    static func cluster() throws -> GuideCluster {
        guard let cluster = present.withLock({ $0 }) else { throw GuideFailure("there is no lab") }
        return cluster
    }

    static func set(_ cluster: GuideCluster?) { present.withLock { $0 = cluster } }
}

struct GuideLabTrait: SuiteTrait, TestScoping {
    var isRecursive: Bool { false }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let lab = try Lab(["node1", "node2", "node3"], others: ["new-cluster"], program: try Program.path())
        let run = GuideRun()
        GuideLab.set(GuideCluster(lab: lab, run: run))
        defer {
            GuideLab.set(nil)
            lab.end()
            let table = Array(run.table.utf8)
            _ = table.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
        }
        try await function()
    }
}

extension Trait where Self == GuideLabTrait {
    static var guideLab: GuideLabTrait { GuideLabTrait() }
}

/// The binary under test: beside the test bundle, or what `PGBASTION_BINARY` names.
enum Program {
    static func path() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = own.split(separator: "/").dropLast().joined(separator: "/")
        let named = getenv("PGBASTION_BINARY").map { String(cString: $0) }
        let candidates = [named, "/\(folder)/pgbastion", PackageTree.root + "/.build/debug/pgbastion"].compactMap { $0 }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw GuideFailure("the binary is at none of \(candidates)")
        }
        return found
    }
}
