import ClusterModel
import Testing

@testable import Operations

/// `vip.status` and `vip.reassert`.
@Suite struct VIPTests {
    @Test func `vip status shows rule, owner and why this node does not have it`() async throws {
        let answer = try await run("vip.status", "{}", on: RecordedGateway(ExampleCluster.healthy))
        let data = try OperationEnvelope(parsing: answer.envelope).data
        #expect(data?["address"]?.string == "10.0.1.100/24")
        #expect(data?["interface"]?.string == "eth0")
        #expect(data?["follows"]?.string == "leader")
        #expect(data?["owner"]?.string == "node2")
        #expect(data?["holds"] == .bool(false))
        #expect(data?["reason"]?.string == "not leader")
        #expect(data?["capability"] == .bool(true))
        #expect(data?["duplicate_mac"] == .null)
    }

    @Test func `vip status without an address says so`() {
        var view = ExampleCluster.healthy
        view.virtualAddress = nil
        view.vipOwner = nil
        #expect(VIPOutput(view).text == "no virtual IP is configured on \(view.node)")
    }

    @Test func `a missing capability is named`() {
        var view = ExampleCluster.healthy
        view.virtualAddress?.missingCapabilities = ["CAP_NET_RAW"]
        #expect(!VIPOutput(view).capability)
        #expect(VIPOutput(view).text.contains("missing CAP_NET_RAW"))
    }

    @Test func `vip reassert is carried out by the owner`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy)
        let answer = try await run("vip.reassert", "{}", on: gateway)
        #expect(answer.error == nil)
        let questions = await gateway.questions
        #expect(questions.count == 1)
        #expect(questions.first?.node.rawValue == "node2")
        #expect(questions.first?.request == .announceAddress)
    }

    @Test func `vip reassert without an owner is refused with vip.owner`() async throws {
        var view = ExampleCluster.healthy
        view.vipOwner = nil
        let answer = try await run("vip.reassert", "{}", on: RecordedGateway(view))
        #expect(answer.exitStatus == 3)
        #expect(answer.error?.checks.first?.id == "vip.owner")
    }
}
