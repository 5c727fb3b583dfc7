import ClusterModel
import FoundationEssentials
import Operations
import Testing

@Suite struct DiagnosisTests {
    /// What this version has no facts for: skipped whatever else holds.
    private static let alwaysSkipped: Set<String> = [
        "config.runbooks_valid"
    ]
    /// Can only fail or be skipped until somebody asks on the network.
    private static let skippedWhenHealthy = alwaysSkipped.union(["vip.not_duplicated"])

    private func subject(_ broken: BrokenFact? = nil) -> DiagnosisSubject {
        var (own, other, view) = (DiagnosisFixture.healthy(), DiagnosisFixture.healthy(DiagnosisFixture.node2), DiagnosisFixture.view)
        broken?.facts(&own)
        broken?.other(&other)
        broken?.view(&view)
        return DiagnosisSubject(
            diagnosis: own, view: view,
            answers: [
                (DiagnosisFixture.node1, .success(own)), (DiagnosisFixture.node2, .success(other)),
                (DiagnosisFixture.node3, .success(DiagnosisFixture.healthy(DiagnosisFixture.node3))),
            ])
    }

    @Test func `a healthy node passes every check`() {
        for check in DiagnosisCheck.all {
            let result = check.result(on: subject())
            let expected: DiagnosisResult.Result = Self.skippedWhenHealthy.contains(check.id) ? .skipped : .ok
            #expect(result.result == expected, "\(check.id): \(result.message)")
        }
    }

    @Test(arguments: BrokenFact.all.map(\.id)) func `one broken fact fails its check, with a message`(id: String) throws {
        let broken = try #require(BrokenFact.all.first { $0.id == id })
        let check = try #require(DiagnosisCheck.all.first { $0.id == id })
        let result = check.result(on: subject(broken))
        #expect(result.result == .fail, "\(result.message)")
        #expect(!result.message.isEmpty)
    }

    @Test func `every check that can fail has its broken fact here`() {
        let tested = Set(BrokenFact.all.map(\.id)).union(Self.alwaysSkipped)
        #expect(Set(DiagnosisCheck.all.map(\.id)).symmetricDifference(tested).isEmpty)
    }

    /// Safety: what could not be found out is never ok.
    @Test func `without facts no check is ok`() {
        for check in DiagnosisCheck.all {
            let result = check.result(on: DiagnosisSubject(diagnosis: nil))
            #expect(result.result == .skipped, "\(check.id)")
            #expect(!result.message.isEmpty)
        }
    }

    @Test func `a machine without daemon and configuration gives no ok about either`() {
        let subject = DiagnosisSubject(diagnosis: NodeDiagnosis())
        let results = DiagnosisCheck.all.map { $0.result(on: subject) }
        let ok = results.filter { $0.result == .ok }.map(\.id)
        // Without needrestart there is nothing it could restart.
        #expect(ok == ["systemd.needrestart"], "\(ok)")
    }

    @Test func `a member that does not answer makes comparisons skipped, not ok`() throws {
        var subject = subject()
        subject.answers[2].answer = .failure(BastionError(.unavailable, "node \"node3\" does not answer"))
        for id in ["config.drift", "network.peer_port_in", "raft.cluster_id", "digest.agrees"] {
            let check = try #require(DiagnosisCheck.all.first { $0.id == id })
            let result = check.result(on: subject)
            #expect(result.result == .skipped && result.message.contains("node3"), "\(id): \(result.message)")
        }
    }

    @Test func `running, dsn and hba are told apart (P21)`() {
        func results(_ change: (inout PostgresDiagnosis) -> Void) -> [DiagnosisResult.Result] {
            var subject = subject()
            var postgres = PostgresDiagnosis()
            postgres.dataDirectory = "/data"
            postgres.postmasterPID = 1
            change(&postgres)
            subject.diagnosis?.postgres = postgres
            return ["postgres.running", "postgres.dsn", "postgres.hba"].compactMap { id in
                DiagnosisCheck.all.first { $0.id == id }?.result(on: subject).result
            }
        }
        let stopped = results {
            $0.postmasterPID = nil
            $0.connection = .unreachable("no such file")
        }
        #expect(stopped == [.fail, .skipped, .skipped])
        #expect(results { $0.connection = .unreachable("no such file") } == [.ok, .fail, .skipped])
        #expect(results { $0.connection = .refused(state: "3D000", message: "no such database") } == [.ok, .fail, .skipped])
        #expect(results { $0.connection = .refused(state: "28P01", message: "password") } == [.ok, .fail, .skipped])
        #expect(results { $0.connection = .refused(state: "28000", message: "no pg_hba.conf entry") } == [.ok, .ok, .fail])
        #expect(results { $0.connection = .refused(state: "28000", message: "role \"x\" does not exist") } == [.ok, .fail, .skipped])
        #expect(results { $0.connection = .refused(state: "57P03", message: "starting up") } == [.ok, .skipped, .skipped])
        #expect(results { $0.connection = .connected } == [.ok, .ok, .ok])
    }

    @Test func `the pair whose Raft port fails is named (P22)`() throws {
        var subject = subject()
        subject.diagnosis?.peers[1].error = "connection refused"
        let check = try #require(DiagnosisCheck.all.first { $0.id == "network.peer_port_out" })
        #expect(check.result(on: subject).message == "node1 -> node3 (node3:8300): connection refused")
    }

    @Test func `operations and doctor refuse and report with the same words`() throws {
        var view = DiagnosisFixture.view
        view.operation = OperationView(id: "op-7", kind: "failover", phase: "fence", startedAt: "")
        let check = try #require(DiagnosisCheck.all.first { $0.id == "no_operation_in_progress" })
        let result = check.result(on: DiagnosisSubject(diagnosis: DiagnosisFixture.healthy(), view: view))
        #expect(result.message == "operation \"op-7\" (failover) is in progress")
    }

    // MARK: The command

    private func gateway(_ change: @escaping @Sendable (NodeName, inout NodeDiagnosis) -> Void = { _, _ in }) -> RecordedGateway {
        RecordedGateway(
            DiagnosisFixture.view,
            nodeBehaviour: { node, request, view throws(BastionError) in
                guard case .diagnose = request else { throw NodeReply.mismatch(request) }
                var facts = DiagnosisFixture.healthy(node)
                change(node, &facts)
                return .diagnosis(facts)
            })
    }

    @Test func `doctor ends with 0 when nothing failed, with 2 when something did`() async throws {
        #expect(try await run("doctor", on: gateway()).exitStatus == 0)
        let failing = try await run("doctor", on: gateway { if $0.rawValue == "node1" { $1.machine.serviceUser = "bob" } })
        #expect(failing.exitStatus == 2)
        // Facts of severity info are told and do not count.
        #expect(try await run("doctor", on: gateway { $1.machine.clockSynchronised = false }).exitStatus == 0)
    }

    @Test func `categories, one node and all nodes choose what is judged`() async throws {
        let one = try await text("doctor", #"{"categories":["postgres"]}"#, on: gateway())
        #expect(one.hasPrefix("postgres\n") && !one.contains("local"))
        let all = try await text(
            "doctor", #"{"categories":["local"],"all":true}"#, on: gateway { if $0.rawValue == "node3" { $1.machine.fileLimit = 10 } })
        #expect(all.contains("warning  local.file_limit [node3]"), "\(all)")
        let unknown = try await run("doctor", #"{"categories":["postgre"]}"#, on: gateway())
        #expect(unknown.error?.code == .usage || unknown.error?.code == .invalidRequest)
        #expect(try await run("doctor", #"{"node":"node9"}"#, on: gateway()).error?.code == .notFound)
    }

    @Test func `the monitoring plugin has its four answers`() async throws {
        func line(_ change: @escaping @Sendable (NodeName, inout NodeDiagnosis) -> Void) async throws -> (String, Int32) {
            let gateway = gateway(change)
            return (
                try await text("doctor", #"{"nagios":true}"#, on: gateway),
                try await run("doctor", #"{"nagios":true}"#, on: gateway).exitStatus
            )
        }
        let ok = try await line { _, _ in }
        #expect(ok.0.hasPrefix("PGBASTION OK - ") && ok.1 == 0)
        let warning = try await line { $1.machine.fileLimit = 10 }
        #expect(warning.0.hasPrefix("PGBASTION WARNING - local.file_limit: ") && warning.1 == 1, "\(warning)")
        let critical = try await line { $1.postgres?.missingRoles = ["replicator"] }
        #expect(critical.0.hasPrefix("PGBASTION CRITICAL - postgres.roles") && critical.1 == 2)
        var input = DoctorOperation.Input()
        input.nagios = true
        let unknown = try DoctorOperation.offline(input, DiagnosisFixture.healthy(), reason: "no endpoint answered")
        #expect(unknown.text.hasPrefix("PGBASTION UNKNOWN - no endpoint answered") && unknown.exitStatus == 3, "\(unknown.text)")
    }

    @Test func `before the first start only what can be known then is asked`() throws {
        var input = DoctorOperation.Input()
        input.pre = true
        let ids = try DoctorOperation.selected(input).map(\.id)
        #expect(ids.contains("local.user") && ids.contains("ports.free") && !ids.contains("raft.leader"))
        #expect(DiagnosisCheck.all.filter(\.isBeforeStart).allSatisfy { $0.needs == .machine })
    }

    @Test func `ids are unique, and begin with their category or are names of operations' checks`() {
        let ids = DiagnosisCheck.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        let named: Set<String> = [
            "ports.free", "one_primary", "not_paused", "no_operation_in_progress", "digest.agrees", "synchronous.not_degraded",
            "no_long_transaction", "replay_running",
        ]
        for check in DiagnosisCheck.all { #expect(check.id.hasPrefix(check.category + ".") || named.contains(check.id), "\(check.id)") }
        #expect(DiagnosisCheck.categories.allSatisfy { category in DiagnosisCheck.all.contains { $0.category == category } })
    }

    // MARK: Documentation

    /// The table of `docs/doctor.md`; print it with `RECORD=1`.
    static var table: [String] {
        DiagnosisCheck.all.map { check in
            let need = check.needs == .machine ? (check.isBeforeStart ? "machine °" : "machine") : check.needs.rawValue
            return "| `\(check.id)` | \(check.severity.rawValue) | \(need) | \(check.asks) |"
        }
    }

    @Test func `docs/doctor.md lists exactly these checks`() throws {
        let package = "/" + "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        let path = package + "/docs/doctor.md"
        let text = try #require(FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) })
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        if rows != Self.table, ProcessInfo.processInfo.environment["RECORD"] != nil {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let head = lines.prefix { !$0.hasPrefix("| `") }
            let tail = lines.drop { !$0.hasPrefix("| `") }.drop { $0.hasPrefix("| `") }
            try Data((head + Self.table + tail).joined(separator: "\n").utf8).write(to: URL(filePath: path))
        } else {
            #expect(rows == Self.table, "run with RECORD=1 to write the table")
        }
    }
}
