import ClusterModel

/// `metrics`: the metrics page of a node, as samples (M07).
package enum MetricsOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var grep: String?
        package var node: NodeName?
    }

    package struct Output: OperationOutput {
        package struct Sample: Codable, Sendable {
            package var name: String
            package var labels: [String: String]
            /// As on the page: `NaN` and `+Inf` are no JSON numbers.
            package var value: String
        }
        package var node: NodeName
        package var samples: [Sample]
        /// The page's own lines of these samples.
        package var lines: [String]

        package var text: String { lines.joined(separator: "\n") }
        package var names: [String] { Array(Set(samples.map(\.name))).sorted() }
    }

    package static let definition = OperationDefinition(
        name: "metrics", summary: "show the metrics of a node",
        discussion: "The page that Prometheus reads on metrics.port, without its comments.",
        parameters: [
            ParameterDefinition(name: "grep", kind: .text, help: "only lines that contain this text", example: "raft_"),
            ParameterDefinition(name: "node", kind: .nodeName, help: "the node; default is the one that answers", example: "node2"),
        ],
        errorCodes: [.notFound, .unavailable], examples: ["pgbastion metrics --grep pgbastion_raft", "pgbastion metrics --node node2"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        var node = view.node
        if let given = input.node { node = try view.requireNode(given).name }
        guard case .text(let page) = try await context.ask(node, .metrics) else { throw NodeReply.mismatch(.metrics) }
        let lines = page.split(separator: "\n").filter { line in
            !line.hasPrefix("#") && (input.grep.map { line.contains($0) } ?? true)
        }
        return Output(node: node, samples: lines.compactMap(sample), lines: lines.map(String.init))
    }

    /// `name{label="value",...} number`, as the daemon writes it.
    static func sample(_ line: Substring) -> Output.Sample? {
        guard let space = line.lastIndex(of: " ") else { return nil }
        let value = String(line[line.index(after: space)...])
        let series = line[..<space]
        guard let brace = series.firstIndex(of: "{"), series.last == "}" else {
            return Output.Sample(name: String(series), labels: [:], value: value)
        }
        var labels: [String: String] = [:]
        var rest = series[series.index(after: brace)...].dropLast()
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals].drop { $0 == "," })
            var text = ""
            var isEscaped = false
            var end = rest.endIndex
            for index in rest[equals...].indices.dropFirst(2) {
                let character = rest[index]
                if isEscaped {
                    text.append(character == "n" ? "\n" : character)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    end = rest.index(after: index)
                    break
                } else {
                    text.append(character)
                }
            }
            labels[name] = text
            rest = rest[end...]
        }
        return Output.Sample(name: String(series[..<brace]), labels: labels, value: value)
    }
}
