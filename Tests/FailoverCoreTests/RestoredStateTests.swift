import ClusterModel
import Testing

@testable import FailoverCore

/// Every row of the table in backup-restore.md 8.
@Suite struct RestoredStateTests {
    private static let newID = ClusterID(rawValue: 77)
    private static let newMember = MemberID(rawValue: 4242)
    private static let archive = RestoredFrom(
        archiveID: "20260217T020000Z-e1-i9-abcd0123", sha256: "5e0c", by: "root@host", manner: .restore)

    private func restored(_ state: ClusterState, on node: String = "a", _ archive: RestoredFrom = archive) -> ClusterState {
        state.restored(on: name(node), member: Self.newMember, newID: Self.newID, now: 9000, archive: archive)
    }

    private func own(_ assignment: Assignment) -> Assignment {
        var own = assignment
        own.memberID = Self.newMember
        return own
    }

    @Test func `the cluster has a new id, remembers the old one and is one epoch further`() {
        let before = StateBench.serving().state
        let after = restored(before)
        #expect(after.cluster?.id == Self.newID)
        #expect(after.cluster?.parentID == before.cluster?.id)
        #expect(after.cluster?.epoch == 2)
        #expect(after.cluster?.name == before.cluster?.name)
    }

    @Test func `other nodes stay known and are no members, this one has its new member id`() {
        let before = StateBench.serving().state
        let after = restored(before, on: "b")
        #expect(after.nodes.count == 4)
        #expect(after.memberNodes.map(\.name) == [name("b")])
        #expect(after.nodes[name("b")]?.memberID == Self.newMember)
        #expect(after.nodes[name("b")]?.standing == .ready)
        #expect(after.nodes[name("a")]?.isFormerMember == true)
        #expect(after.nodes[name("a")]?.dataID == nil)
        for node in ["a", "b", "c", "w"] { #expect(after.tombstones.contains(member(node)), "D67: \(node)") }
        #expect(after.node(member("a")) == nil, "an old member is nobody")
    }

    @Test func `a node that the archive does not know leaves every other one a former member`() {
        let after = restored(StateBench.serving().state, on: "x")
        #expect(after.memberNodes.isEmpty)
        let bench = StateBench()
        bench.state = after
        var own = record("x")
        own.memberID = Self.newMember
        bench.must(.registerNode(own))
        #expect(bench.state.dataNodes.map(\.name) == [name("x")])
    }

    @Test func `it is paused without an end, and the reason names the archive`() {
        let after = restored(StateBench.serving().state)
        #expect(after.paused?.by == "restore")
        #expect(after.paused?.reason.contains(Self.archive.archiveID) == true)
        #expect(after.paused?.durationMilliseconds == nil)
        var recovered = Self.archive
        recovered.manner = .recover
        #expect(restored(StateBench.serving().state, recovered).paused?.by == "recover")
    }

    @Test func `the primary is a claim, and tokens go on far above the lost ones (D68, PR5)`() {
        let before = StateBench.serving().state
        let after = restored(before)
        #expect(after.primary == nil)
        #expect(after.barrier?.claimed == name("a"))
        #expect(after.barrier?.accepted == nil)
        #expect(after.lastToken == FencingToken(before.lastToken.rawValue + 1_000_000))
        #expect(after.lastTimeline == before.lastTimeline)
    }

    @Test func `directives that are pending or running are cancelled, and finished ones are not touched (B7)`() throws {
        let bench = StateBench.serving()
        bench.must(.publishDirective(directive("d1", "b", token: 1)))
        bench.must(.publishDirective(directive("d2", "b", token: 1)))
        bench.must(.completeDirective(id: "d2", status: .running, error: nil))
        bench.must(.publishDirective(directive("d3", "c", token: 1)))
        bench.must(.completeDirective(id: "d3", status: .completed, error: nil))
        let done = try #require(bench.state.directives.last)
        let after = restored(bench.state)
        for id in ["d1", "d2"] {
            let directive = try #require(after.directives.first { $0.id == id })
            #expect(directive.status == .cancelled && directive.error == "restored" && directive.completedAt == 9000)
        }
        #expect(after.directives.last == done)
        #expect(after.directives.allSatisfy { !$0.isOpen })
    }

    @Test func `a running operation and runs that have not ended are cancelled`() {
        let bench = StateBench.serving()
        bench.failover("op", to: "b")
        bench.must(.recordRun(RunSummary(id: "r1", runbook: "x", sha256: "", status: "running", user: "u", startedAt: 1)))
        var ended = RunSummary(id: "r2", runbook: "x", sha256: "", status: "succeeded", user: "u", startedAt: 1)
        ended.endedAt = 5
        bench.must(.recordRun(ended))
        let after = restored(bench.state)
        #expect(after.operation == nil)
        #expect(after.finished.last?.id == "op")
        #expect(after.finished.last?.result == .cancelled)
        #expect(after.finished.last?.message == "restored")
        #expect(after.runs?.first?.status == "cancelled" && after.runs?.first?.endedAt == 9000)
        #expect(after.runs?.last == ended)
    }

    @Test func `locks, hold, lease, claims and idempotency keys are gone, and the longest wait is kept in the barrier`() {
        let bench = StateBench.serving()
        bench.must(
            .setHold(HoldRecord(id: 7, token: FencingToken(1), guardIncarnation: guardOf("a"), durationMilliseconds: 60_000, reason: "")))
        bench.must(.setLeaseTerms(milliseconds: 30_000))
        bench.must(.acquireLock(RunLock(runID: "r1", runbook: "x", node: nil, holder: "u@h", at: 1)))
        bench.must(.claimBackup(BackupClaim(series: "default", window: 5, windowSeconds: 3600, by: name("a"))))
        bench.apply(.resume(id: nil), id: "key")
        let after = restored(bench.state)
        #expect(after.locks == nil && after.hold == nil && after.backupClaims == nil && after.idempotency.isEmpty)
        #expect(after.barrier?.waitMilliseconds == 60_000)
        #expect(after.leases.waitMilliseconds == after.leases.durationMilliseconds)
        #expect(after.leases.mode == .timed)
        bench.must(.releaseLock(runID: "r1"))
        bench.must(.clearHold(id: 7))
        #expect(restored(bench.state).barrier?.waitMilliseconds == 30_000)
    }

    @Test func `a lease that a pause made longer is as long as usual again`() {
        let bench = StateBench.serving()
        bench.must(.pause(pause("p")))
        bench.must(.setLeaseTerms(milliseconds: 30_000))
        let after = restored(bench.state)
        #expect(after.leases.durationMilliseconds == 3000)
        #expect(after.leases.usualMilliseconds == nil)
        #expect(after.barrier?.waitMilliseconds == 30_000)
    }

    @Test func `the barrier lists every former data node, also those of an earlier restore`() {
        let after = restored(StateBench.serving().state)
        #expect(after.barrier?.open == [name("a"), name("b"), name("c")], "a witness has nothing to write to")
        let again = after.restored(
            on: name("a"), member: MemberID(rawValue: 5), newID: ClusterID(rawValue: 78), now: 1, archive: Self.archive)
        #expect(again.barrier?.open == [name("a"), name("b"), name("c")])
        #expect(again.barrier?.claimed == name("a"))
        #expect(again.barrier?.waitMilliseconds == after.barrier?.waitMilliseconds)
        #expect(again.cluster?.parentID == Self.newID)
    }

    @Test func `no rule of acknowledgement is left, and the wanted mode stays (SE2)`() {
        let bench = StateBench.synchronous()
        bench.must(.setSyncPolicy(mode: .strict, wanted: 2))
        let after = restored(bench.state)
        #expect(after.synchronous.rules.isEmpty)
        #expect(after.synchronous.mode == .off)
        #expect(after.synchronous.configured == .strict)
        #expect(after.synchronous.wanted == 2)
        #expect(after.synchronous.generation > bench.state.synchronous.generation)
    }

    @Test func `settings, tokens of the API and histories are unchanged`() {
        let bench = StateBench.synchronous()
        bench.must(.patchPostgresParameters(expectedVersion: nil, set: ["work_mem": "8MB"], unset: []))
        bench.must(.createToken(TokenRecord(name: "ci", role: .read, digest: "00", createdAt: 1, createdBy: "u")))
        bench.must(.recordBackup(BackupRecord(id: "x", series: "default", at: 1, node: name("a"), exitStatus: 0)))
        let after = restored(bench.state)
        #expect(after.postgresParameters == bench.state.postgresParameters)
        #expect(after.tokens == bench.state.tokens)
        #expect(after.timelines == bench.state.timelines)
        #expect(after.certificates == bench.state.certificates)
        #expect(after.systemIdentifier == bench.state.systemIdentifier)
        #expect(after.backups == bench.state.backups)
        #expect(Array(after.decisions.dropLast()) == bench.state.decisions)
    }

    @Test func `the decision record says what was restored, by whom, and its chain is whole`() throws {
        let after = restored(StateBench.serving().state)
        let line = try #require(after.decisions.last)
        #expect(line.kind == "cluster.restored")
        #expect(line.actor == "root@host")
        for part in [Self.archive.archiveID, Self.archive.sha256, clusterID.description, Self.newID.description] {
            #expect(line.text.contains(part), "\(part)")
        }
        #expect(after.decisions.firstBrokenLink == nil)
    }

    // MARK: What may happen to it

    @Test func `nothing assigns a primary while somebody is not accounted for, and resume does not end the pause`() {
        let bench = StateBench()
        bench.state = restored(StateBench.serving().state)
        bench.refuses(.resume(id: nil), "one_primary")
        let start = operation("op", .bootstrap, to: "a", fromToken: 0, ballot: 1_000_002, automatic: false)
        bench.must(.startOperation(start))
        bench.refuses(.assignPrimary(own(assignment(1_000_002, "a", timeline: 3, parent: 2, .attested, operation: "op"))), "D68")
    }

    @Test func `an accepted primary ends the pause and attests the others`() {
        let bench = StateBench()
        bench.state = restored(StateBench.serving().state)
        bench.refuses(.acceptPrimary(node: name("b"), memberID: member("b")), "node.exists")
        bench.refuses(.acceptPrimary(node: name("a"), memberID: member("a")), "node.exists")
        bench.must(.clearBarrier(node: name("c"), mark: .confirmed))
        bench.refuses(.clearBarrier(node: name("c"), mark: .confirmed), "D68")
        bench.must(.acceptPrimary(node: name("a"), memberID: Self.newMember))
        #expect(bench.state.paused == nil)
        #expect(bench.state.barrier?.accepted == name("a"))
        #expect(bench.state.barrier?.nodes == [name("a"): .confirmed, name("b"): .attested, name("c"): .confirmed])
        bench.must(.startOperation(operation("op", .bootstrap, to: "a", fromToken: 0, ballot: 1_000_002, automatic: false)))
        let timeline = bench.state.lastTimeline.next
        bench.must(
            .assignPrimary(own(assignment(1_000_002, "a", timeline: timeline.rawValue, parent: 2, .attested, operation: "op"))))
        bench.must(.recordPromotion(token: FencingToken(1_000_002), timeline: timeline, forkLSN: LSN(200)))
        #expect(bench.state.barrier == nil, "a primary serves: nothing is waited for any more")
    }

    @Test func `the accepted primary is ready from its promotion on, so that a failover at once finds it (SE5, 4.12, seed 1185)`() {
        let bench = StateBench.serving()
        bench.stand("b", .joining)
        bench.failover(released: true)
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")), "SE5")
        var barrier = BarrierRecord(nodes: [name("a"): .attested], waitMilliseconds: 0, claimed: nil)
        barrier.accepted = name("b")
        bench.state.barrier = barrier
        bench.must(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")))
        bench.must(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(900)))
        #expect(bench.state.nodes[name("b")]?.standing == .ready)
        #expect(bench.state.nodes[name("b")]?.dataID == bench.state.synchronous.current?.primary.dataID)
    }

    @Test func `a former member comes back under its name with a new member id, and not with its old one (D67)`() {
        let bench = StateBench()
        bench.state = restored(StateBench.serving().state)
        bench.refuses(.registerNode(record("b")), "D67")
        bench.must(.registerNode(record("b", life: 2)))
        #expect(bench.state.nodes[name("b")]?.isFormerMember == false)
        #expect(bench.state.dataNodes.map(\.name) == [name("a"), name("b")])
        #expect(bench.state.barrier?.nodes[name("b")] == .unknown, "its new guard has not said anything yet")
    }

    @Test func `a former member's return makes the lease timed first (LE12)`() {
        let bench = StateBench()
        bench.state = restored(StateBench.serving().state)
        bench.must(.setLeaseMode(.sole, token: .never, confirmed: false))
        bench.refuses(.registerNode(record("b", life: 2)), "LE12")
    }
}
