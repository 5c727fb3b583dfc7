import ClusterModel

/// `state.export`: the state document, as conditions see it.
package enum StateExportOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var redact: Bool?
    }

    package static let definition = OperationDefinition(
        name: "state.export", summary: "print the state document that conditions of runbooks see",
        discussion:
            "With -o json the document is `data`. --redact gives nodes, addresses and the cluster other names, the same everywhere.",
        parameters: [
            ParameterDefinition(name: "redact", kind: .flag, help: "replace names and addresses")
        ],
        examples: ["pgbastion state export -o json", "pgbastion state export --redact -o json"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> StateDocument {
        let document = StateDocument(await context.gateway.view())
        return input.redact == true ? try StateRedaction(document).applied(to: document) : document
    }
}

extension StateDocument: OperationOutput {
    /// One line per value: what `wait PATH=VALUE` takes.
    package var text: String {
        do throws(BastionError) {
            var lines: [String] = []
            StatePath.leaves(of: try JSONParser.parse(try JSONText.encode(self)), at: "", into: &lines)
            return lines.joined(separator: "\n")
        } catch {
            return error.message
        }
    }
    package var names: [String] { nodes.map(\.name.rawValue) }
}
