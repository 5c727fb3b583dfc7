import ClusterModel
import FailoverCore
import Testing

/// Whether local data can follow the newest timeline (AG18, D42).
@Suite struct LineageTests {
    /// 2 left 1 at 100; 3 left 2 at 200; 4 left 2 but was abandoned; 5 left 3 at 300.
    private let records = [
        timeline(2, parent: 1, fork: 100), timeline(3, parent: 2, fork: 200), timeline(4, parent: 2, fork: nil),
        timeline(5, parent: 3, fork: 300),
    ]

    @Test func `the lineage is the chain of parents, with the points where it left them (AG18)`() {
        let lineage = Lineage(of: TimelineID(5), records: records)
        #expect(lineage.links.map(\.timeline.rawValue) == [1, 2, 3, 5])
        #expect(lineage.links.map(\.leftAt) == [LSN(100), LSN(200), LSN(300), nil])
        #expect(!lineage.contains(TimelineID(4)))
    }

    @Test(arguments: [
        (at(1, 100), true), (at(1, 101), false), (at(2, 200), true), (at(2, 201), false), (at(3, 300), true),
        (at(3, 999), false), (at(4, 150), false), (at(5, 400), true), (at(5, 401), false), (at(6, 1), false),
    ])
    func `data fits up to the fork of its timeline, on the newest one up to the primary's end (D42)`(
        end: WALPosition, fits: Bool
    ) {
        let verdict = Lineage(of: TimelineID(5), records: records).verdict(on: end, newestEnd: LSN(400))
        #expect((verdict == .fits) == fits, "\(end): \(verdict)")
    }

    @Test func `an abandoned timeline diverges although a record names it (AG18)`() {
        guard
            case .diverged(let why) = Lineage(of: TimelineID(5), records: records).verdict(on: at(4, 1), newestEnd: nil)
        else {
            Issue.record("fits")
            return
        }
        #expect(why.contains("timeline 4"))
    }

    @Test func `an ancestor that was left at an unknown point diverges (D42)`() {
        let lineage = Lineage(of: TimelineID(3), records: [timeline(3, parent: 2, fork: nil)])
        #expect(lineage.verdict(on: at(2, 1), newestEnd: nil) != .fits)
    }

    @Test func `without the primary's end data on its timeline fits (D42)`() {
        #expect(Lineage(of: TimelineID(5), records: records).verdict(on: at(5, 1 << 40), newestEnd: nil) == .fits)
    }

    @Test func `records that name each other as parents do not make it endless (D59)`() {
        let lineage = Lineage(
            of: TimelineID(3), records: [timeline(3, parent: 3, fork: 1), timeline(2, parent: 3, fork: 1)])
        #expect(lineage.links.count == 1)
    }

    @Test func `the lineage that counts is that of the last primary that served (SE5)`() {
        var state = ClusterState()
        #expect(state.servedLineage == nil)
        state.timelines = Array(records.prefix(3))
        #expect(state.servedLineage?.links.last?.timeline == TimelineID(3))
    }
}

func timeline(_ number: UInt32, parent: UInt32, fork: UInt64?) -> TimelineRecord {
    var record = TimelineRecord(
        token: FencingToken(UInt64(number)), timeline: TimelineID(number), parent: TimelineID(parent), node: name("a"),
        reason: "test", at: 0)
    record.forkLSN = fork.map { LSN($0) }
    return record
}
