import ClusterModel
import RaftIO
import Testing

/// Who may connect at all (RA19, RA20, P28).
@Suite struct AdmissionRuleTests {
    private let cluster = ClusterID(rawValue: 7)
    private let member = MemberID(rawValue: 11)

    private func hello(_ change: (inout PeerHello) -> Void = { _ in }) throws -> PeerHello {
        var hello = PeerHello(
            clusterID: cluster, epoch: 1, memberID: member, nodeName: try #require(NodeName("node2")),
            daemonIncarnation: DaemonIncarnation(rawValue: 1), featureLevel: 1, generation: 1, startID: 1, version: "1.0.0")
        change(&hello)
        return hello
    }

    private func code(_ rule: AdmissionRule, _ hello: PeerHello, _ purpose: PeerPurpose = .urgent) -> ErrorCode? {
        if case .reject(let code, _) = rule.admission(of: hello, for: purpose) { code } else { nil }
    }

    @Test func `a member, and a node without a cluster, may connect`() throws {
        let rule = AdmissionRule(clusterID: cluster)
        #expect(code(rule, try hello()) == nil)
        #expect(code(rule, try hello { $0.clusterID = nil }) == nil)
        #expect(code(AdmissionRule(), try hello()) == nil)
    }

    @Test func `another cluster is foreign, also for a probe`() throws {
        let rule = AdmissionRule(clusterID: cluster)
        let stranger = try hello { $0.clusterID = ClusterID(rawValue: 8) }
        #expect(code(rule, stranger) == .foreignState)
        #expect(code(rule, stranger, .probe) == .foreignState)
    }

    @Test func `a removed member is told so in the handshake (RA19)`() throws {
        let rule = AdmissionRule(clusterID: cluster, removed: [member])
        #expect(code(rule, try hello()) == .removed)
        #expect(code(rule, try hello(), .bulk) == .removed)
        #expect(code(rule, try hello(), .probe) == nil)
    }

    @Test func `a node that cannot read the cluster's features, or speaks another wire, is refused before it receives anything (P28)`()
        throws
    {
        let rule = AdmissionRule(clusterID: cluster, featureLevel: 2)
        #expect(code(rule, try hello { $0.featureLevel = 1 }) == .preconditionFailed)
        #expect(code(rule, try hello { $0.featureLevel = 3 }) == nil)
        let newer = try hello {
            $0.wireMin = 2
            $0.wireMax = 3
        }
        #expect(code(AdmissionRule(clusterID: cluster), newer) == .preconditionFailed)
        #expect(newer.incompatibility(requiring: 1)?.contains("speaks wire versions 2 to 3") == true)
    }

    @Test func `one minor version more or less overlaps and is let in`() throws {
        let next = try hello {
            $0.wireMin = 1
            $0.wireMax = 2
            $0.featureLevel = 2
            $0.version = "1.1.0"
        }
        #expect(code(AdmissionRule(clusterID: cluster), next) == nil)
    }
}
