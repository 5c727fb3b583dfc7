import ClusterModel
import PostgresTestKit
import Testing

@testable import PostgresControl

struct TextTests {
    private func input() -> PostgresSettingsInput {
        PostgresSettingsInput(
            binDirectory: "/bin", dataDirectory: "/data", stateDirectory: "/state", socketDirectory: "/run",
            port: 5432, listenAddresses: ["127.0.0.1"], logFile: "/log")
    }

    @Test func `a record that crosses pages ends behind their headers`() {
        let segment: UInt64 = 16_777_216
        func end(_ start: UInt64, _ length: UInt64) -> UInt64 {
            WALAddress.end(ofRecordAt: LSN(start), length: length, segmentBytes: segment).rawValue
        }
        #expect(end(0x28, 114) == 0xA0)
        #expect(end(0x1FF0, 16) == 0x2000)
        #expect(end(0x1FF0, 17) == 0x2000 + 24 + 8)
        #expect(end(segment - 8, 16) == segment + 40 + 8)
    }

    @Test func `lines of pg_waldump are understood`() throws {
        let line =
            "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/01000028, prev 0/00000000, desc: CHECKPOINT_SHUTDOWN redo 0/1000028"
        let record = try #require(WALRecordLine(line))
        #expect(record.start == LSN(0x100_0028) && record.length == 114 && !record.isSwitch)
        let error =
            "pg_waldump: error: error in WAL record at 0/1523C80: invalid record length at 0/1523CB8: wanted 24, got 0"
        #expect(WALRecordLine.lastRead(error) == LSN(0x152_3C80))
        #expect(WALRecordLine("first record is after 0/1, at 0/2") == nil)
    }

    @Test func `history files are read and forks found`() {
        let history = TimelineHistoryFile.parse(
            "1\t0/3000000\tno recovery target specified\n\n# note\n4\t0/5000148\tx\n")
        #expect(history.map(\.timeline) == [TimelineID(1), TimelineID(4)])
        #expect(history.last?.switchPoint == LSN(0x500_0148))
        #expect(TimelineHistoryFile.parse("# reserved by pgbastion\n").isEmpty)
        let fork = TimelineFork.find(
            [TimelineSwitch(timeline: TimelineID(1), switchPoint: LSN(100))], TimelineID(2), history, TimelineID(5))
        #expect(fork == WALPosition(timeline: TimelineID(1), lsn: LSN(100)))
        #expect(TimelineFork.find([], TimelineID(9), [], TimelineID(1)) == nil)
        #expect(WALSegment(name: "00000002000000010000000A", segmentBytes: 16_777_216)?.number == 266)
        #expect(WALSegment(name: "00000002.history", segmentBytes: 16_777_216) == nil)
    }

    @Test func `the settings file quotes values and carries no owned setting`() {
        let settings = ManagedSettings(
            upstream: PostgresEndpoint(node: NodeName("node-2") ?? fail(), host: "10.0.0.2", port: 5433),
            slot: "node_1",
            applicationName: "pgb_1_node-1", synchronousStandbyNames: "ANY 1 (\"a\")",
            parameters: [
                "archive_command": "cp '%p' x\\y", "port": "1", "recovery_target_time": "now", "work_mem": "1MB",
            ])
        let file = SettingsFile(settings, input: input(), version: PostgresVersion(major: 15))
        #expect(file.text.contains("archive_command = 'cp ''%p'' x\\\\y'\n"))
        #expect(file.text.contains("recovery_target_time = ''\n"))
        #expect(!file.text.contains("\nport ="))
        #expect(file.text.contains("host=10.0.0.2 port=5433 user=replicator passfile=/state/postgresql/passfile"))
        #expect(file.settings["primary_slot_name"] == "node_1")
        var other = settings
        other.upstream = nil
        let pledged = SettingsFile(other, input: input(), version: PostgresVersion(major: 15))
        #expect(pledged.settings["primary_conninfo"] == "" && pledged.settings["primary_slot_name"] == "")
        #expect(pledged.fingerprint != file.fingerprint)
        #expect(ConnectionText.value(of: "port", in: file.settings["primary_conninfo"] ?? "") == "5433")
    }

    @Test func `operators' files keep everything but our marked parts`() throws {
        let directory = TestDirectory("pgb-conf")
        defer { directory.remove() }
        var input = self.input()
        input.dataDirectory = directory.path
        input.stateDirectory = directory.file("state's")
        let layout = ConfigurationLayout(input, major: 15)
        try DurableFiles.write("work_mem = 1MB\n", to: layout.configFile)
        try DurableFiles.write("local all all trust\n", to: layout.hbaFile)
        for members in [["10.0.0.9"], ["10.0.0.1", "fd00::1", "db2.example"]] {
            try LocalConfiguration(input: input, layout: layout, members: members).apply()
        }
        let conf = try DurableFiles.read(layout.configFile)
        #expect(
            conf
                == "work_mem = 1MB\ninclude '\(directory.path)/state''s/postgresql/pgbastion.conf' # pgbastion: keep this line last\n"
        )
        let hba = try #require(try DurableFiles.read(layout.hbaFile))
        #expect(hba.hasSuffix("# pgbastion: end\nlocal all all trust\n"))
        #expect(hba.contains("host replication \"replicator\" samehost scram-sha-256"))
        #expect(hba.contains(" 10.0.0.1/32 ") && hba.contains(" fd00::1/128 ") && hba.contains(" db2.example "))
        #expect(!hba.contains("10.0.0.9"))
    }

    @Test func `managed names are found in and removed from postgresql auto conf`() {
        let text = "# Do not edit\nwork_mem = '1MB'\nprimary_conninfo = 'host=a'\n"
        #expect(AutoConfiguration.overridden(text, managed: ["primary_conninfo", "x"]) == ["primary_conninfo"])
        #expect(AutoConfiguration.removing(["primary_conninfo"], from: text) == "# Do not edit\nwork_mem = '1MB'\n")
    }

    @Test func `places outside the data directory are named once for each clone`() {
        let target = "/data/node-3.clone-0a1b2c3d"
        #expect(ClonePlace.beside("/space", for: target) == "/space.clone-node-3-0a1b2c3d")
        #expect(ClonePlace.beside("/space.clone-node-2-11111111", for: target) == "/space.clone-node-3-0a1b2c3d")
        #expect(ClonePlace.escaped("/a=b") == "/a\\=b")
    }

    @Test func `progress lines become bytes and percent`() {
        var report = JobReport(kind: "clone")
        report.read("waiting for checkpoint")
        #expect(report.progress.phase == "connecting")
        report.read(" 1024/4096 kB (25%), 0/1 tablespace")
        #expect(report.progress.percent == 25 && report.progress.bytesTotal == 4_194_304)
        #expect(report.progress.bytesCopied == 1_048_576 && report.progress.phase == "copying")
        #expect(report.recentOutput == ["waiting for checkpoint"])
    }

    @Test func `an archive command is expanded as PostgreSQL does`() {
        #expect(
            ArchiveCommand.expanded("cp %p /a/%f 100%% %x", path: "pg_wal/1", file: "1") == "cp pg_wal/1 /a/1 100% %x")
    }

    @Test func `the command line of a standby is not smaller than the WAL it replays`() throws {
        let control = try ControlData(sampleControlData)
        #expect(control.file.state == .shutDownInRecovery && control.minimumSettings["max_connections"] == 250)
        var input = self.input()
        input.commandLineSettings = ["max_connections": "50", "shared_buffers": "1GB"]
        let layout = ConfigurationLayout(input, major: 15)
        let standby = PostmasterCommand(input: input, layout: layout, control: control)
        #expect(standby.arguments.contains("max_connections=250") && standby.arguments.contains("shared_buffers=1GB"))
        let primary = PostmasterCommand(input: input, layout: layout, control: nil)
        #expect(primary.arguments.contains("max_connections=50"))
    }

    private func fail() -> NodeName { preconditionFailure("not a node name") }
}

private let sampleControlData = """
    Database system identifier:           7400000000000000001
    Database cluster state:               shut down in recovery
    Latest checkpoint location:           0/3000060
    Latest checkpoint's REDO location:    0/3000028
    Latest checkpoint's TimeLineID:       2
    Minimum recovery ending location:     0/3000148
    Min recovery ending loc's timeline:   2
    wal_log_hints setting:                on
    max_connections setting:              250
    max_worker_processes setting:         8
    max_wal_senders setting:              10
    max_prepared_xacts setting:           0
    max_locks_per_xact setting:           64
    Bytes per WAL segment:                16777216
    Data page checksum version:           1
    """
