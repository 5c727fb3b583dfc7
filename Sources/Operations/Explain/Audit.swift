import ClusterModel

/// `audit.list`: who changed what, newest first.
package enum AuditListOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var n: Int?
        package var all: Bool?
    }

    package struct Output: OperationOutput {
        package var records: [DecisionRow]
        package var names: [String] { records.map { "\($0.number)" } }
        package var text: String {
            guard !records.isEmpty else { return "nothing was changed by anybody so far" }
            var table = TextTable("NUMBER", "TIME", "ACTOR", "ACTION", "REQUEST", "WHAT")
            for record in records {
                let why = record.reason.map { " (\($0))" } ?? ""
                table.add(
                    "\(record.number)", record.at, record.actor, record.kind, record.requestID ?? "-", record.text + why)
            }
            return table.text
        }
    }

    package static let definition = OperationDefinition(
        name: "audit.list", summary: "list who changed what, newest first",
        discussion: "What was refused is listed too. --all adds what the cluster decided by itself.",
        parameters: [
            ParameterDefinition(
                name: "n", kind: .integer, help: "at most so many", defaultText: "50", example: "10", limits: ListLimit.limits),
            ParameterDefinition(name: "all", kind: .flag, help: "also the cluster's own decisions"),
        ],
        examples: ["pgbastion audit list", "pgbastion audit list -o json"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let limit = try ListLimit.check(input.n, default: 50)
        let records = await context.gateway.view().decisions
        let wanted = records.reversed().filter { input.all == true || $0.actor != DecisionRecord.policy }
        return Output(records: wanted.prefix(limit).map(DecisionRow.init))
    }
}

/// `audit.verify`: whether the record is whole; 9 when a line was changed or taken out.
package enum AuditVerifyOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package var ok: Bool
        /// Number of the first line that does not fit.
        @Nullable package var firstBad: UInt64?
        package var checked: Int
        @Nullable package var firstNumber: UInt64?
        @Nullable package var lastNumber: UInt64?
        @Nullable package var lastHash: String?
        package var exitStatus: Int32 { ok ? 0 : ErrorCode.integrity.exitStatus }
        package var names: [String] { [ok ? "ok" : "broken"] }
        package var text: String {
            guard ok else { return "BROKEN: line \(firstBad.map { "\($0)" } ?? "?") does not fit the one before it" }
            guard let firstNumber, let lastNumber, let lastHash else { return "ok: nothing is recorded yet" }
            return "ok: lines \(firstNumber) to \(lastNumber) form one chain, the last hash is \(lastHash.prefix(16))"
        }
    }

    package static let definition = OperationDefinition(
        name: "audit.verify", summary: "check that the record of decisions is whole",
        discussion: "Every line carries the hash of the one before it. The last 512 lines are kept.",
        errorCodes: [.integrity], examples: ["pgbastion audit verify"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let records = await context.gateway.view().decisions
        let bad = records.firstBrokenLink
        return Output(
            ok: bad == nil, firstBad: bad, checked: records.count, firstNumber: records.first?.number,
            lastNumber: records.last?.number, lastHash: records.last?.hash)
    }
}
