import ClusterModel

/// Reads a path (runbooks.md, 4.1): `key ( '.' key | '[*]' | '[' key '=' VAL ( ',' key '=' VAL )* ']' )*`.
package enum StatePathParser {
    package static func path(_ node: YAMLNode, _ findings: FindingCollector) -> StatePath? {
        guard case .scalar(let text, let isPlain) = node.content, !node.isNull else {
            findings.note(.wrongType, at: TextRange(node.position, node.position), "a path must be a text, not \(node.kind)")
            return nil
        }
        switch parse(text, at: TextRange(node), indent: isPlain ? 0 : 1, allowsReferences: true) {
        case .success(let path): return path
        case .failure(let problem):
            findings.note(
                .unknownPath, at: problem.value.at, "'\(Excerpt.of(text))' is no path: \(problem.value.message)", help: problem.value.help)
            return nil
        }
    }

    static func parse(
        _ text: String, at: TextRange, indent: Int, allowsReferences: Bool
    ) -> Result<StatePath, TemplateParser.Failure> {
        var scanner = TextScanner(text)
        var steps: [StatePath.Step] = []
        func failure(_ from: Int, _ message: String) -> Result<StatePath, TemplateParser.Failure> {
            .failure(TemplateParser.Failure(at.part(from, max(from + 1, scanner.position), indent: indent), message))
        }
        guard text.utf8.count <= 1024 else { return failure(0, "it is longer than 1024 bytes") }
        var needsKey = true
        while needsKey || !scanner.isAtEnd {
            let start = scanner.position
            if needsKey {
                let key = scanner.word()
                guard !key.isEmpty else { return failure(start, scanner.isAtEnd ? "a key was expected at its end" : "a key was expected") }
                steps.append(.key(Located(key, at: at.part(start, scanner.position, indent: indent))))
                needsKey = false
            } else if scanner.take(".") {
                needsKey = true
            } else if scanner.take("[*]") {
                steps.append(.every)
            } else if scanner.take("[") {
                switch selector(&scanner, at: at, indent: indent, allowsReferences) {
                case .success(let conditions): steps.append(.selector(conditions))
                case .failure(let problem): return .failure(problem)
                }
            } else {
                return failure(start, "'.' or '[' was expected")
            }
            if steps.count > 32 { return failure(start, "it has more than 32 parts") }
        }
        return .success(StatePath(steps, at: at))
    }

    private static func selector(
        _ scanner: inout TextScanner, at: TextRange, indent: Int, _ allowsReferences: Bool
    ) -> Result<[StatePath.Condition], TemplateParser.Failure> {
        var conditions: [StatePath.Condition] = []
        while true {
            let start = scanner.position
            let field = scanner.word()
            let fieldRange = at.part(start, max(start + 1, scanner.position), indent: indent)
            guard !field.isEmpty, scanner.take("=") else {
                return .failure(TemplateParser.Failure(fieldRange, "a selector is [field=value] or [*]"))
            }
            let valueStart = scanner.position
            let problem = { (end: Int, message: String) -> Result<[StatePath.Condition], TemplateParser.Failure> in
                .failure(TemplateParser.Failure(at.part(valueStart, max(valueStart + 1, end), indent: indent), message))
            }
            guard let parts = value(&scanner, at: at, indent: indent, allowsReferences) else {
                return problem(scanner.position, "the value of the selector is no word, quoted text or reference")
            }
            let valueRange = at.part(valueStart, scanner.position, indent: indent)
            conditions.append(.init(field: Located(field, at: fieldRange), value: Template(parts, at: valueRange)))
            if scanner.take("]") { return .success(conditions) }
            guard scanner.take(",") else { return problem(scanner.position, "',' or ']' was expected") }
        }
    }

    private static func value(
        _ scanner: inout TextScanner, at: TextRange, indent: Int, _ allowsReferences: Bool
    ) -> [Template.Part]? {
        if scanner.take("\"") {
            var text = ""
            while !scanner.isAtEnd {
                if scanner.take("\"") { return [.text(text)] }
                if scanner.take("\\"), scanner.isAtEnd { return nil }
                text.append(scanner.next())
            }
            return nil
        }
        let start = scanner.position
        if scanner.take("${") {
            guard allowsReferences else { return nil }
            let inner = scanner.until("}")
            let end = scanner.position + 1
            guard scanner.take("}"), case .success(let reference) = TemplateParser.reference(inner, at: at.part(start, end, indent: indent))
            else { return nil }
            return [.reference(reference)]
        }
        let word = scanner.word(with: "-.:/")
        return word.isEmpty ? nil : [.text(word)]
    }
}
