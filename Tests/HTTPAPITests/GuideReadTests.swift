import ClusterModel
import HTTPAPI
import Operations
import Testing

@Suite struct GuideReadTests {
    private func names(_ value: JSONValue?) -> Set<String> { Set(value?.members?.map(\.name) ?? []) }

    @Test func `E01 raft state`() async throws {
        let state = try await TestAPI().json("GET", "/raft/state")
        #expect(state["state"]?.string == "Follower")
        #expect(state["is_leader"] == .bool(false))
        #expect(state["leader_id"]?.string == "node2")
        #expect(state["leader_addr"]?.string == "10.0.1.2:8300")
        for field in ["term", "commit_index", "applied_index", "last_log_index", "last_contact_ms"] {
            #expect(state[field]?.integer != nil, "\(field)")
        }
        let lost = try await TestAPI(
            example {
                $0.raft.leader = nil; $0.raft.state = "Candidate"
            }
        ).json("GET", "/raft/state")
        #expect(lost["leader_id"]?.string == "")
        #expect(lost["state"]?.string == "Candidate")
    }

    @Test func `E02 raft peers, X05 members`() async throws {
        for path in ["/raft/peers", "/members"] {
            let peers = try #require(try await TestAPI().json("GET", path)["peers"]?.elements)
            #expect(peers.count == 3)
            #expect(
                names(peers[0]).isSuperset(of: [
                    "id", "address", "suffrage", "voter", "reachable", "last_contact_ms", "match_index",
                ]))
            #expect(peers[1]["id"]?.string == "node2")
            #expect(peers[1]["voter"] == .bool(true))
        }
        let alone = try await TestAPI(example { $0.peers = [] }).json("GET", "/raft/peers")
        #expect(alone["peers"] == .array([]))
    }

    @Test func `E05 directives, filtered and by id, X05 directives`() async throws {
        let api = TestAPI()
        for path in ["/raft/directives", "/directives", "/raft/directives?node=node3&status=completed"] {
            let list = try #require(try await api.json("GET", path)["directives"]?.elements)
            #expect(
                names(list.first) == [
                    "id", "type", "target_node", "params", "status", "created_at", "completed_at", "error", "term",
                    "expires_at",
                ])
        }
        #expect(try await api.json("GET", "/raft/directives?node=node1")["directives"] == .array([]))
        #expect(try await api.json("GET", "/raft/directives/d-17")["type"]?.string == "rewind")
        #expect(await api.send("GET", "/raft/directives/d-18").status == 404)
    }

    @Test func `E07 health is 200 for ok and 503 else`() async throws {
        let health = try await TestAPI().json("GET", "/health")
        #expect(
            names(health).isSuperset(of: [
                "status", "version", "vip_owner", "vip_reason", "split_brain", "node", "role", "proxy_healthy",
                "reasons",
            ]))
        #expect(health["status"]?.string == "ok")
        #expect(health["version"]?.string == "1.2.0")
        #expect(health["vip_owner"]?.string == "node2")
        let sick = TestAPI(
            example { view in
                view.health.status = "no_quorum"
                view.vipOwner = nil
                view.vipReason = "not leader"
            })
        #expect(await sick.send("GET", "/health").status == 503)
        #expect(try await sick.json("GET", "/health")["vip_owner"] == .null)
    }

    @Test func `E08 cluster has the routing table and backends, X13 members`() async throws {
        let cluster = try await TestAPI().json("GET", "/cluster")
        #expect(cluster["routing_table"]?["primary"]?.string == "10.0.1.1:5434")
        #expect(cluster["routing_table"]?["replicas"]?.elements?.count == 2)
        #expect(cluster["routing_table"]?["split_brain"] == .bool(false))
        let backend = names(cluster["backends"]?.elements?.first)
        #expect(backend.isSuperset(of: ["name", "address", "role", "in_rotation", "reason", "lag_bytes"]))
        let members = try #require(cluster["members"]?.elements)
        #expect(names(members[0]) == ["name", "role", "state", "host", "port", "api_url", "timeline", "lag"])
        #expect(members[0]["role"]?.string == "leader")
        let split = try await TestAPI(example { $0.splitBrain = true }).json("GET", "/cluster")
        #expect(split["routing_table"]?["primary"] == .null)
        #expect(split["routing_table"]?["primary_reason"]?.string == "two writable servers were seen")
    }

    @Test func `E09 cluster state`() async throws {
        let api = TestAPI(
            example { view in
                view.paused = PauseView(reason: "x", by: "y", since: "z", forSeconds: nil)
                view.operation = OperationView(id: "op-2", kind: "failover", phase: "fence", startedAt: "x")
            })
        let state = try await api.json("GET", "/cluster/state")
        #expect(state["paused"] == .bool(true))
        #expect(state["node"]?.string == "node1")
        #expect(state["operation"]?["phase"]?.string == "fence")
        let node = try #require(state["nodes"]?["node3"])
        #expect(names(node).isSuperset(of: ["role", "state", "lag", "lag_bytes", "last_seen"]))
        #expect(node["lag_bytes"]?.integer == 1_258_291)
        #expect(node["last_seen"]?.string == "2026-02-17T01:59:59Z")
        let calm = try await TestAPI().json("GET", "/cluster/state")
        #expect(calm["operation"] == .null)
        #expect(calm["paused"] == .bool(false))
    }

    @Test func `E10 replication`() async throws {
        let answer = try await TestAPI().json("GET", "/cluster/replication")
        #expect(answer["is_in_recovery"] == .bool(false))
        #expect(answer["replication_lag"]?.integer == 0)
        let replica = try #require(answer["replicas"]?.elements?.last)
        #expect(
            names(replica).isSuperset(of: [
                "name", "state", "sync_state", "sent_lag_bytes", "write_lag_bytes", "flush_lag_bytes",
                "replay_lag_bytes", "lag_seconds", "streaming", "replay_lsn", "measured_at",
            ]))
        #expect(replica["replay_lag_bytes"]?.integer == 1_258_291)
        let slot = try #require(answer["replication_slots"]?.elements?.first)
        #expect(names(slot) == ["node", "name", "type", "active", "wal_bytes", "wal_status"])
    }

    @Test func `E10 the lag of a disconnected replica counts from its last known position`() async throws {
        let gateway = example { view in
            view.nodes[2].replication = nil
            view.nodes[2].streaming = false
            view.nodes[2].lagBytes = 99_000_000
        }
        let replica = try await TestAPI(gateway).json("GET", "/cluster/replication")["replicas"]?.elements?.last
        #expect(replica?["replay_lag_bytes"]?.integer == 99_000_000)
        #expect(replica?["streaming"] == .bool(false))
    }

    @Test func `E11 health history, Q07 limit and trailing slash`() async throws {
        let api = TestAPI()
        let all = try await api.json("GET", "/cluster/health/history")
        #expect(all["entries"]?.elements?.count == 3)
        #expect(all["stats"]?["total_checks"]?.integer == 3)
        #expect(all["stats"]?["failure_count"]?.integer == 1)
        #expect(
            names(all["stats"]) == [
                "total_checks", "success_count", "failure_count", "success_rate", "avg_duration_ms",
            ])
        #expect(try await api.json("GET", "/cluster/health/history/?limit=1")["entries"]?.elements?.count == 1)
        for bad in ["0", "x", "101", ""] {
            #expect(await api.send("GET", "/cluster/health/history?limit=\(bad)").status == 400, "\(bad)")
        }
    }

    @Test func `X01 connections, X02 reload, X03 progress, X04 config, X06 nodes, X11 patroni, X12 history`()
        async throws
    {
        let api = TestAPI()
        let connections = try await api.json("GET", "/connections")
        #expect(connections["active_connections"]?.integer == 15)
        #expect(connections["by_backend"]?.elements?.first?["port_type"]?.string == "primary")
        let reload = try await api.json("POST", "/reload")
        #expect(reload["applied"] == .array([.string("log.level")]))
        #expect(reload["needs_restart"] == .array([.string("api.port")]))
        let progress = try await api.json("GET", "/cluster/progress")
        #expect(progress["rewind"]?["phase"]?.string == "idle")
        #expect(
            names(progress["rewind"]) == [
                "phase", "percent", "bytes_total", "bytes_copied", "files_total", "files_copied", "start_time",
                "elapsed_seconds", "error", "recent_output", "files_total_reason",
            ])
        #expect(try await api.json("GET", "/cluster/config")["last_check"]?.string == "2026-02-17T01:59:59Z")
        let nodes = try await api.json("GET", "/nodes")["nodes"]?.elements
        #expect(names(nodes?.first) == ["name", "host", "port", "role", "state", "lag_bytes", "last_seen"])
        #expect(try await api.json("GET", "/patroni")["patroni"]?["scope"]?.string == "prod")
        let history = try await api.json("GET", "/history")
        #expect(history.elements?.first?.elements?.count == 5)
        #expect(history.elements?.first?.elements?[1].integer == 0x4000108)
    }

    @Test func `X02 an invalid file applies nothing and lists the errors`() async throws {
        let api = TestAPI(
            reload: { () throws(BastionError) in
                throw BastionError(.invalidConfiguration, "the file is invalid", detail: "line 3: unknown key")
            })
        let response = await api.send("POST", "/reload")
        #expect(response.status == 500)
        #expect(try JSONParser.parse(response.body)["detail"]?.string == "line 3: unknown key")
    }

    @Test func `H07 lists are never null and H08 old answers say so`() async throws {
        let api = TestAPI(
            example { view in
                view.staleSeconds = 7.5
                view.nodes = []
                view.primary = nil
            })
        for path in ["/raft/state", "/raft/peers", "/cluster", "/cluster/state", "/cluster/replication", "/health"] {
            let answer = try await api.json("GET", path)
            #expect(answer["stale"] == .bool(true), "\(path)")
            #expect(answer["stale_seconds"] == .number("7.5"), "\(path)")
            #expect(answer["captured_at"]?.string != nil, "\(path)")
            for field in ["replicas", "replication_slots", "backends", "members", "peers", "reasons"] {
                #expect(answer[field] != .null, "\(path) \(field)")
            }
        }
        #expect(try await api.json("GET", "/cluster/replication")["primary_reason"]?.string != nil)
    }
}
