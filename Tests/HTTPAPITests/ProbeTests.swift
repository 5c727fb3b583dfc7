import ClusterModel
import HTTPAPI
import Operations
import Testing

@Suite struct ProbeTests {
    private let primary = ["/", "/primary", "/master", "/read-write", "/leader"]

    private func replica(_ change: (inout ClusterView) -> Void = { _ in }) -> TestAPI {
        TestAPI(
            example { view in
                view.node = ExampleCluster.name("node3")
                view.primary?.leaseRemainingSeconds = nil
                change(&view)
            })
    }

    @Test func `X09 primary routes hold only while the node holds the lease`() async throws {
        for path in primary {
            for method in ["GET", "HEAD", "OPTIONS"] {
                #expect(await TestAPI().send(method, path).status == 200, "\(path)")
            }
            #expect(await replica().send("GET", path).status == 503, "\(path)")
            #expect(await TestAPI(example { $0.primary?.leaseRemainingSeconds = 0 }).send("GET", path).status == 503)
            #expect(await TestAPI(example { $0.primary?.phase = "ended" }).send("GET", path).status == 503)
            #expect(await TestAPI(example { $0.splitBrain = true }).send("GET", path).status == 503)
        }
    }

    @Test func `X09 replica routes, with lag and replication state`() async throws {
        #expect(await TestAPI().send("GET", "/replica").status == 503)
        #expect(await replica().send("GET", "/replica").status == 200)
        #expect(await replica().send("GET", "/replica?lag=2MiB").status == 200)
        #expect(await replica().send("GET", "/replica?lag=1MiB").status == 503)
        #expect(await replica().send("GET", "/replica?lag=much").status == 400)
        #expect(await replica().send("GET", "/replica?replication_state=streaming").status == 200)
        #expect(
            await replica {
                $0.nodes[2].streaming = false; $0.nodes[2].state = "catching_up"
            }
            .send("GET", "/replica?replication_state=streaming").status == 503)
        #expect(await replica { $0.nodes[2].inRotation = false }.send("GET", "/replica").status == 503)
    }

    @Test func `X09 read-only is replica or primary; sync, async and quorum tell replicas apart`() async throws {
        #expect(await TestAPI().send("GET", "/read-only").status == 200)
        #expect(await replica().send("GET", "/read-only").status == 200)
        #expect(await replica().send("GET", "/quorum").status == 200)
        for path in ["/sync", "/synchronous", "/async", "/asynchronous"] {
            #expect(await replica().send("GET", path).status == 503, "\(path)")
        }
        #expect(await replica { $0.nodes[2].sync = "sync" }.send("GET", "/sync").status == 200)
        #expect(await replica { $0.nodes[2].sync = "async" }.send("GET", "/async").status == 200)
    }

    @Test func `X10 live and ready`() async throws {
        for path in ["/livez", "/liveness", "/readyz", "/readiness"] {
            #expect(await TestAPI().send("GET", path).status == 200, "\(path)")
        }
        #expect(await replica().send("GET", "/readyz?lag=2MiB").status == 200)
        #expect(await replica().send("GET", "/readyz?lag=1MiB").status == 503)
        #expect(await replica { $0.nodes[2].streaming = false }.send("GET", "/readyz").status == 503)
        let witness = replica {
            $0.nodes[2].kind = .witness; $0.nodes[2].role = .witness
        }
        #expect(await witness.send("GET", "/readyz").status == 200)
        #expect(
            await replica {
                $0.nodes[2].kind = .witness; $0.raft.leader = nil
            }.send("GET", "/readyz").status == 503)
    }
}
