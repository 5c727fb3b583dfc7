import ClusterModel

/// Asks members what they found out about themselves.
struct DiagnosisRequest {
    /// A look at the disk, a connection to the server and one to every member, each with a limit of its own, run side by side.
    private static let limit: Duration = .seconds(8)

    var topics: Set<DiagnosisTopic>
    var nodes: [NodeName]

    init(topics: Set<DiagnosisTopic>, of nodes: [NodeName]) {
        self.topics = topics
        self.nodes = nodes
    }

    func ask(in context: OperationContext) async -> [(node: NodeName, answer: Result<NodeDiagnosis, BastionError>)] {
        let request = NodeRequest.diagnose(topics.sorted { $0.rawValue < $1.rawValue })
        return await context.askAll(nodes, request, limit: Self.limit).map { node, answer in
            switch answer {
            case .success(.diagnosis(let diagnosis)): (node, .success(diagnosis))
            case .success: (node, .failure(NodeReply.mismatch(request)))
            case .failure(let error): (node, .failure(error))
            }
        }
    }
}
