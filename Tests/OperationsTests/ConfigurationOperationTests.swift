import ClusterModel
import Operations
import Testing

@Suite struct ConfigurationOperationTests {
    private func gateway(_ change: @escaping @Sendable (NodeName, inout NodeDiagnosis) -> Void = { _, _ in }) -> RecordedGateway {
        RecordedGateway(
            DiagnosisFixture.view,
            nodeBehaviour: { node, request, view throws(BastionError) in
                switch request {
                case .reload:
                    if node.rawValue == "node3" {
                        throw BastionError(.invalidConfiguration, "cannot use configuration file \"f\": 1 error")
                    }
                    return .reloaded(ReloadReport(applied: ["log.level"], needsRestart: ["api.port"]))
                default:
                    var facts = DiagnosisFixture.healthy(node)
                    change(node, &facts)
                    return .diagnosis(facts)
                }
            })
    }

    @Test func `nodes that agree have no difference`() async throws {
        let answer = try await run("config.diff", on: gateway())
        #expect(answer.exitStatus == 0)
    }

    @Test func `a cluster-wide key that differs is a finding, a node's own key is told with --all`() async throws {
        let changed = gateway { node, facts in
            guard node.rawValue == "node2" else { return }
            facts.configuration.values[4].value = "5s"
            facts.configuration.values[7].value = "6000"
        }
        let answer = try await run("config.diff", on: changed)
        #expect(answer.exitStatus == 2)
        let text = String(decoding: answer.envelope, as: UTF8.self)
        #expect(text.contains("failover.primary_lease") && !text.contains("postgresql.port"))
        let all = String(decoding: try await run("config.diff", #"{"all":true}"#, on: changed).envelope, as: UTF8.self)
        #expect(all.contains("postgresql.port"))
    }

    @Test func `a reload of one node gives its own error, of all nodes a line each`() async throws {
        let one = try await run("config.reload", on: gateway())
        #expect(one.exitStatus == 0)
        #expect(String(decoding: one.envelope, as: UTF8.self).contains(#""applied":["log.level"]"#))
        #expect(try await run("config.reload", #"{"node":"node3"}"#, on: gateway()).error?.code == .invalidConfiguration)
        let all = try await run("config.reload", #"{"all":true}"#, on: gateway())
        #expect(all.exitStatus == 7)
        #expect(String(decoding: all.envelope, as: UTF8.self).contains("api.port"))
    }
}
