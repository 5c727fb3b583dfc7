import ClusterModel
import Operations
import Testing

@Suite struct PgconfigTests {
    private func gateway(problems: [String: String] = [:], _ change: (inout ClusterView) -> Void = { _ in }) -> RecordedGateway {
        var view = ExampleCluster.healthy
        for i in view.nodes.indices { view.nodes[i].parametersVersion = 0 }
        change(&view)
        return RecordedGateway(
            view,
            behaviour: { request, view throws(BastionError) in
                guard case .patchPostgresParameters(_, let set, let unset) = request else { return ClusterReply(summary: "") }
                var values = view.postgresParameters?.values ?? [:]
                for name in unset { values[name] = nil }
                values.merge(set) { _, new in new }
                let version = (view.postgresParameters?.version ?? 0) + 1
                view.postgresParameters = PostgresParametersView(
                    values: values, version: version, updatedAt: "2026-02-17T02:00:00Z", updatedBy: "test")
                for i in view.nodes.indices { view.nodes[i].parametersVersion = version }
                return ClusterReply(summary: "changed")
            },
            nodeBehaviour: { _, _, _ throws(BastionError) in .inspected(.problems(problems)) })
    }

    @Test func `a setting is checked by PostgreSQL, committed, and waited for on every node`() async throws {
        let gateway = gateway()
        let answer = try await run("pgconfig.set", #"{"settings":["work_mem=64MB","Jit=off"]}"#, on: gateway, wait: .seconds(5))
        #expect(answer.exitStatus == 0)
        #expect(await gateway.questions.first?.request == .inspect(.checkSettings(["work_mem": "64MB", "jit": "off"])))
        #expect(await gateway.questions.first?.node.rawValue == "node1", "the primary is asked first")
        #expect(
            await gateway.submissions.first?.request
                == .patchPostgresParameters(expectedVersion: nil, set: ["work_mem": "64MB", "jit": "off"], unset: []))
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["parameters"]?["work_mem"]?.string == "64MB")
        #expect(data["version"]?.integer == 1)
        #expect(
            try await text("pgconfig.get", on: gateway) == """
                SETTING   VALUE
                jit       off
                work_mem  64MB
                version 1, by test at 2026-02-17T02:00:00Z
                """)
    }

    @Test func `what runs programs, belongs to pgbastion or has a wrong value is refused before anything changes`() async throws {
        let gateway = gateway(problems: ["work_mem": "invalid value for parameter \"work_mem\": \"banana\""])
        let forbidden = try await run("pgconfig.set", #"{"settings":["archive_command=/bin/true"]}"#, on: gateway)
        #expect(forbidden.exitStatus == 3)
        #expect(forbidden.error?.checks.first?.id == "pgconfig.allowed")
        #expect(await gateway.questions.isEmpty)
        let wrong = try await run("pgconfig.set", #"{"settings":["work_mem=banana"]}"#, on: gateway)
        #expect(wrong.exitStatus == 65)
        #expect(try await run("pgconfig.set", #"{"settings":["work_mem"]}"#, on: gateway).exitStatus == 64)
        #expect(await gateway.submissions.isEmpty)
    }

    @Test func `unset needs no check of values; a dry run changes nothing`() async throws {
        let gateway = gateway()
        _ = try await run("pgconfig.set", #"{"settings":["work_mem=64MB"]}"#, on: gateway, wait: .seconds(5))
        let plan = try await run("pgconfig.unset", #"{"names":["work_mem"]}"#, on: gateway, dryRun: true)
        #expect(String(decoding: plan.envelope, as: UTF8.self).contains("work_mem: 64MB -> not managed"))
        #expect(await gateway.submissions.count == 1)
        #expect(try await run("pgconfig.unset", #"{"names":["work_mem"]}"#, on: gateway, wait: .seconds(5)).exitStatus == 0)
        #expect(try await text("pgconfig.get", on: gateway).hasPrefix("no such settings are managed (version 2)"))
    }

    @Test func `pending restarts name the order in which servers must be restarted (D58)`() async throws {
        let raised = gateway { view in
            view.postgresParameters = PostgresParametersView(
                values: ["max_connections": "300"], version: 1, updatedAt: "", updatedBy: "")
            for i in view.nodes.indices {
                view.nodes[i].commandLineValues = ["max_connections": 100]
                view.nodes[i].pendingRestartSettings = ["max_connections"]
            }
        }
        #expect(
            try await text("pgconfig.pending-restart", on: raised) == """
                NODE   SETTING          RESTART AFTER
                node1  max_connections  node2, node3
                node2  max_connections  -
                node3  max_connections  -
                """)
        await raised.update { $0.postgresParameters?.values["max_connections"] = "50" }
        #expect(try await text("pgconfig.pending-restart", on: raised).contains("node2  max_connections  node1"))
    }

    @Test func `the difference is told by what each server's file and memory say`() async throws {
        let gateway = RecordedGateway(
            {
                var view = ExampleCluster.healthy
                view.postgresParameters = PostgresParametersView(
                    values: ["work_mem": "65536kB", "shared_buffers": "1GB"], version: 1, updatedAt: "", updatedBy: "")
                return view
            }(),
            nodeBehaviour: { node, _, _ throws(BastionError) in
                if node.rawValue == "node3" { throw BastionError(.unavailable, "away") }
                let isFirst = node.rawValue == "node1"
                return .inspected(
                    .settings([
                        SettingFacts(name: "shared_buffers", value: "128MB", fileValue: "1GB", pendingRestart: true),
                        SettingFacts(
                            name: "work_mem", value: isFirst ? "64MB" : "4MB", fileValue: isFirst ? "65536kB" : "4MB",
                            pendingRestart: false),
                    ]))
            })
        #expect(
            try await text("pgconfig.diff", on: gateway) == """
                NODE   SETTING         WANTED   RUNNING  WHY
                node1  shared_buffers  1GB      128MB    needs a restart
                node2  shared_buffers  1GB      128MB    needs a restart
                node2  work_mem        65536kB  4MB      another file overrides it
                """)
    }
}
