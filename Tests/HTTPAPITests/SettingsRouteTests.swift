import ClusterModel
import HTTPAPI
import Operations
import Testing

/// Settings, and what Patroni's clients read.
@Suite struct SettingsRouteTests {
    /// A cluster whose PostgreSQL finds fault with `bad` only, and that takes every change at once.
    private var gateway: RecordedGateway {
        var view = ExampleCluster.healthy
        view.postgresParameters = PostgresParametersView(
            values: ["work_mem": "4MB", "jit": "off"], version: 3, updatedAt: "2026-02-17T01:00:00Z", updatedBy: "test")
        return RecordedGateway(
            view,
            behaviour: { request, view throws(BastionError) in
                guard case .patchPostgresParameters(_, let set, let unset) = request else {
                    throw BastionError(.internal, "wrong request")
                }
                view.postgresParameters?.values.merge(set) { _, new in new }
                for name in unset { view.postgresParameters?.values[name] = nil }
                view.postgresParameters?.version += 1
                return ClusterReply(summary: "changed")
            },
            nodeBehaviour: { _, request, _ throws(BastionError) in
                guard case .inspect(.checkSettings(let set)) = request else { return .done("done") }
                return .inspected(.problems(set["bad"].map { ["bad": "no such setting \($0)"] } ?? [:]))
            })
    }

    @Test func `X07 the managed settings with version, author and what waits for a restart`() async throws {
        let body = try await TestAPI(gateway).json("GET", "/cluster/postgresql")
        #expect(body["parameters"]?["work_mem"]?.string == "4MB")
        #expect(body["version"]?.integer == 3)
        #expect(body["updated_by"]?.string == "test")
        #expect(body["pending_restart"] == .bool(false))
        #expect(body["pending_restart_params"] == .array([]))
        #expect(body["last_applied_version"] != nil)
    }

    @Test func `X07 PATCH changes, POST replaces, DELETE gives back`() async throws {
        let patched = try await TestAPI(gateway).json(
            "PATCH", "/cluster/postgresql", body: #"{"parameters":{"work_mem":"64MB","jit":null,"max_connections":300}}"#)
        #expect(patched["parameters"] == .record([("max_connections", .string("300")), ("work_mem", .string("64MB"))]))
        let replaced = try await TestAPI(gateway).json("POST", "/cluster/postgresql", body: #"{"parameters":{"jit":true}}"#)
        #expect(replaced["parameters"] == .record([("jit", .string("on"))]))
        let one = try await TestAPI(gateway).json("DELETE", "/cluster/postgresql?name=jit")
        #expect(one["parameters"] == .record([("work_mem", .string("4MB"))]))
        let all = try await TestAPI(gateway).json("DELETE", "/cluster/postgresql")
        #expect(all["parameters"] == .object([]))
    }

    @Test func `X07 what runs programs or belongs to pgbastion is refused, and a bad value changes nothing`() async throws {
        let api = TestAPI(gateway)
        for (body, status) in [
            (#"{"parameters":{"archive_command":"rm -rf /"}}"#, 409), (#"{"parameters":{"port":"1"}}"#, 409),
            (#"{"parameters":{"bad":"x"}}"#, 422), (#"{"parameters":{"work_mem":[]}}"#, 400), (#"{"settings":{}}"#, 400),
            (#"{"parameters":{"work_mem":"1MB","WORK_MEM":"2MB"}}"#, 400), ("", 400),
        ] {
            #expect(await api.send("PATCH", "/cluster/postgresql", body: body).status == status, "\(body)")
        }
        #expect(await api.gateway.submissions.isEmpty)
        let remote = await api.send("PATCH", "/cluster/postgresql", body: "{}", peer: .address("10.0.0.9"))
        #expect(remote.status == 401)
        #expect(await api.send("PUT", "/cluster/postgresql").header("Allow") == "DELETE, GET, HEAD, PATCH, POST")
    }

    @Test func `X11 the running server, as Patroni shows one`() async throws {
        let gateway = example { view in
            guard let own = view.nodes.firstIndex(where: { $0.name == view.node }) else { return }
            view.nodes[own].postmasterStartedAt = "2026-02-17 01:00:00+00"
        }
        let primary = try await TestAPI(gateway).json("GET", "/patroni/")
        #expect(primary["role"]?.string == "primary" && primary["state"]?.string == "running")
        #expect(primary["xlog"]?["location"]?.integer != nil)
        #expect(primary["replication"]?.elements?.isEmpty == false)
        #expect(primary["database_system_identifier"]?.string?.isEmpty == false)
        #expect(primary["postmaster_start_time"]?.string == "2026-02-17 01:00:00+00")
        let replica = example { view in
            view.node = view.nodes.first { $0.role == .replica }?.name ?? view.node
            guard let own = view.nodes.firstIndex(where: { $0.name == view.node }) else { return }
            view.nodes[own].receivedLSN = LSN(200)
            view.nodes[own].replayedLSN = LSN(100)
            view.nodes[own].isReplayPaused = false
        }
        let standby = try await TestAPI(replica).json("GET", "/patroni")
        #expect(standby["role"]?.string == "replica" && standby["state"]?.string == "running")
        #expect(standby["xlog"]?["received_location"]?.integer == 200)
        #expect(standby["xlog"]?["replayed_location"]?.integer == 100)
        #expect(standby["xlog"]?["paused"] == .bool(false))
        #expect(standby["replication"] == .array([]))
    }

    @Test func `X12 the effective settings of the cluster`() async throws {
        let body = try await TestAPI(
            example { view in
                view.settings.leaseSeconds = 3
                view.settings.maxLagBytes = 1 << 20
            }
        ).json("GET", "/config")
        #expect(body["ttl"]?.integer == 3)
        #expect(body["maximum_lag_on_failover"]?.integer == 1 << 20)
        #expect(body["synchronous_mode"] == .bool(true))
        #expect(body["pause"] == .bool(false))
    }

    @Test func `X13 members carry the address of their own API, null while it was not heard`() async throws {
        let members = try await TestAPI(
            example { view in
                for index in view.nodes.indices { view.nodes[index].apiURL = index == 0 ? "https://10.0.1.1:8008" : nil }
            }
        ).json("GET", "/cluster")["members"]?.elements
        #expect(members?.first?["api_url"]?.string == "https://10.0.1.1:8008/patroni")
        #expect(members?.last?["api_url"] == .null)
        #expect(members?.first?["role"]?.string == "leader")
    }

    @Test func `X03 a running clone shows its progress and the program's last lines`() async throws {
        let body = try await TestAPI(
            example { view in
                view.job.kind = "clone"
                view.job.phase = "copying"
                view.job.percent = 40
                view.job.bytesTotal = 1000
                view.job.bytesCopied = 400
                view.job.filesCopied = 12
                view.job.startedAt = "2026-02-17T01:59:30Z"
                view.job.recentOutput = ["waiting for checkpoint"]
            }
        ).json("GET", "/cluster/progress")
        #expect(body["method"]?.string == "basebackup")
        let rewind = try #require(body["rewind"])
        #expect(rewind["percent"]?.integer == 40 && rewind["files_copied"]?.integer == 12)
        #expect(rewind["elapsed_seconds"]?.integer == 30)
        #expect(rewind["recent_output"] == .array([.string("waiting for checkpoint")]))
    }
}
