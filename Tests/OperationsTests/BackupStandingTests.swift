import ClusterModel
import Operations
import Testing

/// What the catalogue of backups becomes on every surface (P14).
@Suite struct BackupStandingTests {
    private func record(
        kind: BackupRecord.Kind = .backup, _ id: String, series: String = "default", at: Int64, exitStatus: Int32 = 0
    ) throws -> BackupRecord {
        var record = BackupRecord(
            kind: kind, id: id, series: series, at: at * 1_000, node: try #require(NodeName("node1")), exitStatus: exitStatus)
        record.goodCount = 3
        return record
    }

    private func view(_ records: [BackupRecord]) -> ClusterView {
        var view = ExampleCluster.healthy
        view.backups = records
        view.capturedAt = "1970-01-01T01:00:00Z"
        return view
    }

    @Test func `without a backup everything is unknown, and no series has a sample`() {
        let standing = BackupStanding(view([]))
        #expect(standing.last == nil && standing.successes.isEmpty && standing.attempts.isEmpty)
        let document = StateDocument(view([])).backup
        #expect(document.lastID == nil && document.ageSeconds == nil && document.countGood == 0)
    }

    @Test func `the last success counts, whatever failed later; safety backups and drills are told apart`() throws {
        let records = [
            try record("a", at: 600), try record("", at: 1_200, exitStatus: 9), try record("s", series: "pre-restore", at: 1_800),
            try record(kind: .drill, "a", at: 2_400),
        ]
        let standing = BackupStanding(view(records))
        #expect(standing.last?.id == "a")
        #expect(standing.attempts.map(\.record.exitStatus) == [9, 0])
        let document = StateDocument(view(records)).backup
        #expect(document.lastID == "a" && document.lastSuccessAt == "1970-01-01T00:10:00Z")
        #expect(document.ageSeconds == 3_000 && document.drillAgeSeconds == 1_200 && document.countGood == 3)
        #expect(StatusOutput(view(records)).backup?.ageSeconds == 3_000)
    }

    @Test func `an incomplete run stored a good archive`() throws {
        #expect(BackupStanding(view([try record("a", at: 1, exitStatus: 7)])).last?.id == "a")
    }

    @Test func `inputs name one archive or several`() throws {
        let one = try JSONText.decode(BackupInput.self, from: Array(#"{"archive":"latest","once_per":"1d"}"#.utf8))
        #expect(one.archive?.words == ["latest"] && one.oncePer?.seconds == 86_400)
        let two = try JSONText.decode(BackupInput.self, from: Array(#"{"archive":["a","b"]}"#.utf8))
        #expect(two.archive?.words == ["a", "b"])
    }

    @Test func `every operation has a schema, an example and the scope offline`() {
        for definition in BackupOperations.definitions {
            #expect(BackupOperations.outputSchema(of: definition.name) != nil, "\(definition.name)")
            #expect(definition.scope == .offline && !definition.examples.isEmpty)
        }
    }
}
