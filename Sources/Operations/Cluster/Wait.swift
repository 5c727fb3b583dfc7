import ClusterModel

/// `wait`: returns when all conditions hold; replaces every sleep in a procedure (GD2, P30).
package enum WaitOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var conditions: [String]
        package var stableFor: DurationValue?
        package var interval: DurationValue?
    }

    package struct Output: OperationOutput {
        package struct Condition: Codable, Sendable {
            package var text: String
            package var met: Bool
            package var actual: String
        }
        package var conditions: [Condition]
        package var elapsedSeconds: Double
        package var text: String { conditions.map { "\($0.text): \($0.actual)" }.joined(separator: "\n") }
    }

    package static let definition = OperationDefinition(
        name: "wait", summary: "wait until all conditions hold",
        discussion: """
            Conditions: leader, quorum, healthy, primary, primary=NODE, caught-up, streaming, role=ROLE, version=V, \
            lag<=SIZE, paused, resumed, or PATH=VALUE of `pgbastion state export`; ",node=NODE" narrows one to a node. The deadline \
            is --timeout, 60 s by default.
            """,
        parameters: [
            ParameterDefinition(
                name: "conditions", kind: .textList, help: "conditions that must all hold", isRequired: true,
                position: 0, example: "healthy,node=node2",
                limits: ParameterLimits(form: "^(leader|quorum|healthy|primary|streaming|caught-up|paused|resumed)$", most: 32)),
            ParameterDefinition(
                name: "stable_for", kind: .duration, help: "they must hold for this long", example: "5s"),
            ParameterDefinition(
                name: "interval", kind: .duration, help: "look again at least this often", defaultText: "200ms"),
        ],
        errorCodes: [.timeout, .invalidRequest],
        examples: ["pgbastion wait leader", "pgbastion wait healthy,node=node2 'lag<=10MiB,node=node2'"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        guard !input.conditions.isEmpty, input.conditions.count <= 32 else {
            throw BastionError(.invalidRequest, "give 1 to 32 conditions")
        }
        var conditions: [WaitCondition] = []
        for text in input.conditions { conditions.append(try WaitCondition(text)) }
        let limit = context.waitLimit ?? .seconds(60)
        return try await wait(for: conditions, input, limit: limit, gateway: context.gateway)
    }

    private static func wait(
        for conditions: [WaitCondition], _ input: Input, limit: Duration, gateway: any ClusterGateway
    ) async throws(BastionError) -> Output {
        let clock = ContinuousClock()
        let start = clock.now
        var metSince: ContinuousClock.Instant?
        var last: [Output.Condition] = []
        // An interval of nothing would be a busy loop.
        let interval = input.interval.map { max($0.duration, .milliseconds(20)) }
        for await view in ViewWatch.views(of: gateway, limit: limit, interval: interval) {
            last = conditions.map { condition in
                let verdict = condition.evaluate(view)
                return Output.Condition(text: condition.text, met: verdict.met, actual: verdict.actual)
            }
            guard last.allSatisfy(\.met) else {
                metSince = nil
                continue
            }
            let since = metSince ?? clock.now
            metSince = since
            guard since.duration(to: clock.now) >= input.stableFor?.duration ?? .zero else { continue }
            return Output(conditions: last, elapsedSeconds: start.duration(to: clock.now).inSeconds)
        }
        let missing = last.filter { !$0.met }
        let facts = (missing.isEmpty ? last : missing).map { "\($0.text): \($0.actual)" }.joined(separator: "; ")
        throw BastionError(
            .timeout, "not all conditions held within \(DurationValue(limit))", detail: facts,
            checks: missing.map { FailedCheck(id: $0.text, actual: $0.actual) })
    }
}
