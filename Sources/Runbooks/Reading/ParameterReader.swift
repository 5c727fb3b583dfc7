import ClusterModel
import Operations

/// Reads the parameters of a runbook.
struct ParameterReader {
    let findings: FindingCollector

    func parameter(_ node: YAMLNode) -> RunbookParameter? {
        guard let reader = ObjectReader(node, RunbookShapes.parameter, findings) else { return nil }
        let name = reader.id("name", separator: "_")
        let kind = reader.choice("type", RunbookParameter.Kind.self)
        var parameter = RunbookParameter(name: name ?? Located("", at: reader.at), kind: kind ?? .string)
        parameter.isRequired = reader.boolean("required", default: false)
        parameter.prompt = reader.text("prompt")?.value
        parameter.glob = reader.text("glob")?.value
        parameter.choices = reader.texts("values").map(\.value)
        parameter.filter = reader.value("where").flatMap { ConditionReader.filter($0, findings) }
        guard let name, let kind else { return nil }
        parameter.name = name
        fits("where", [.node, .nodes], kind, reader)
        fits("values", [.enum], kind, reader)
        fits("min", [.integer, .duration, .bytes], kind, reader)
        fits("max", [.integer, .duration, .bytes], kind, reader)
        fits("glob", [.string, .path, .backup, .address], kind, reader)
        if kind == .enum, parameter.choices.isEmpty, findings.isComplete {
            findings.note(.missingKey, at: reader.keyRange("type"), "an enum needs `values`")
        }
        parameter.minimum = limit("min", kind, reader)
        parameter.maximum = limit("max", kind, reader)
        if let low = parameter.minimum, let high = parameter.maximum, low > high {
            findings.note(.valueNotAllowed, at: reader.keyRange("max"), "`max` is below `min`")
        }
        readDefault(&parameter, reader)
        return parameter
    }

    private func fits(_ key: String, _ kinds: [RunbookParameter.Kind], _ kind: RunbookParameter.Kind, _ reader: ObjectReader) {
        guard reader.value(key) != nil, !kinds.contains(kind) else { return }
        findings.note(
            .valueNotAllowed, at: reader.keyRange(key),
            "`\(key)` is for \(kinds.map(\.rawValue).joined(separator: ", ")), not for \(kind.rawValue)")
    }

    private func limit(_ key: String, _ kind: RunbookParameter.Kind, _ reader: ObjectReader) -> Int64? {
        guard let node = reader.value(key), let text = node.text else { return nil }
        var limit: Int64?
        switch kind {
        case .integer: limit = Ambiguous.number(text) ? nil : Int64(text)
        case .duration: limit = Quantity.duration(text)?.duration.inMilliseconds
        case .bytes: limit = Quantity.bytes(text).flatMap { Int64(exactly: $0) }
        default: return nil
        }
        if limit == nil {
            findings.note(.wrongType, at: TextRange(node), "`\(key)`: '\(Excerpt.of(text))' does not fit type \(kind.rawValue)")
        }
        return limit
    }

    private func readDefault(_ parameter: inout RunbookParameter, _ reader: ObjectReader) {
        guard let node = reader.value("default") else { return }
        if parameter.isRequired {
            findings.note(.valueNotAllowed, at: reader.keyRange("default"), "a required parameter has no default")
        }
        let value = TemplateParser.value(node, findings)
        guard value.references.isEmpty, let constant = value.constant else {
            findings.note(.valueNotAllowed, at: TextRange(node), "references are not allowed in `default`")
            return
        }
        if parameter.kind == .boolean || parameter.kind == .integer, case .text(let template) = value.content, template.isPlain,
            let text = template.literal, Ambiguous.boolean(text) || Ambiguous.number(text)
        {
            findings.note(
                .ambiguousScalar, at: template.at, "'\(Excerpt.of(text))' is read differently by different programs",
                help: "write true, false or a decimal number")
            return
        }
        switch parameter.value(of: constant) {
        case .success(let normal): parameter.defaultValue = normal
        case .failure(let problem):
            findings.note(.wrongType, at: TextRange(node), "`default` \(problem.message)", help: problem.help)
        }
    }
}
