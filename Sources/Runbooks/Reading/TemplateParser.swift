import ClusterModel
import Operations

/// Texts and values with references.
package enum TemplateParser {
    /// A value of any form.
    package static func value(_ node: YAMLNode, _ findings: FindingCollector) -> ValueTemplate {
        let at = TextRange(node)
        switch node.content {
        case .invalid: return ValueTemplate(.literal(.null), at: at)
        case .sequence(let elements): return ValueTemplate(.list(elements.map { value($0, findings) }), at: at)
        case .mapping(let entries):
            let members = entries.map { Argument(Located($0.key, at: TextRange(keyOf: $0)), value($0.value, findings)) }
            return ValueTemplate(.map(members), at: at)
        case .scalar(let text, plain: true):
            switch text {
            case "", "~", "null": return ValueTemplate(.literal(.null), at: at)
            case "true": return ValueTemplate(.literal(.bool(true)), at: at)
            case "false": return ValueTemplate(.literal(.bool(false)), at: at)
            default:
                if Ambiguous.isNumber(text) { return ValueTemplate(.literal(.number(text)), at: at) }
                return ValueTemplate(.text(template(node, findings)), at: at)
            }
        case .scalar: return ValueTemplate(.text(template(node, findings)), at: at)
        }
    }

    package static func template(_ node: YAMLNode, _ findings: FindingCollector) -> Template {
        guard case .scalar(let text, let isPlain) = node.content else { return Template([], at: TextRange(node)) }
        let (parts, errors) = parse(text, at: TextRange(node), indent: isPlain ? 0 : 1)
        for error in errors { findings.note(.unknownReference, at: error.at, error.message, help: error.help) }
        return Template(parts, at: TextRange(node), isPlain: isPlain)
    }

    struct Problem {
        var at: TextRange
        var message: String
        var help: String?
    }

    /// - Parameter indent: Characters between `at` and the text: a quote.
    static func parse(_ text: String, at: TextRange, indent: Int) -> (parts: [Template.Part], problems: [Problem]) {
        var scanner = TextScanner(text)
        var parts: [Template.Part] = []
        var problems: [Problem] = []
        var plain = ""
        while !scanner.isAtEnd {
            if scanner.take("$${") {
                plain += "${"
            } else if scanner.peeks("${") {
                let start = scanner.position
                _ = scanner.take("${")
                let inner = scanner.until("}")
                let end = scanner.position + 1
                guard scanner.take("}") else {
                    problems.append(
                        Problem(
                            at: at.part(start, scanner.position, indent: indent), message: "a reference without closing '}'",
                            help: "write $${ for a plain ${"))
                    plain += "${" + inner
                    continue
                }
                switch reference(inner, at: at.part(start, end, indent: indent)) {
                case .success(let reference):
                    if !plain.isEmpty { parts.append(.text(plain)) }
                    plain = ""
                    parts.append(.reference(reference))
                case .failure(let problem): problems.append(problem.value)
                }
            } else {
                plain.append(scanner.next())
            }
        }
        if !plain.isEmpty || parts.isEmpty { parts.append(.text(plain)) }
        return (parts, problems)
    }

    struct Failure: Error {
        var value: Problem
        init(_ at: TextRange, _ message: String, _ help: String? = nil) { value = Problem(at: at, message: message, help: help) }
    }

    static func reference(_ text: String, at: TextRange) -> Result<Reference, Failure> {
        guard !text.contains("${") else { return .failure(Failure(at, "references cannot stand in references")) }
        var scanner = TextScanner(text)
        let name = scanner.word()
        var root: Reference.Root
        switch name {
        case "params": root = .params
        case "vars": root = .vars
        case "state": root = .state
        case "run": root = .run
        case "steps":
            guard scanner.take(".") else {
                return .failure(Failure(at, "'${\(Excerpt.of(text))}' names no step", "write ${steps.ID.FIELD}"))
            }
            let id = scanner.word(with: "-")
            guard !id.isEmpty else { return .failure(Failure(at, "'${\(Excerpt.of(text))}' names no step", "write ${steps.ID.FIELD}")) }
            root = .step(id)
        default: root = .loop(name)
        }
        guard !name.isEmpty else {
            return .failure(
                Failure(
                    at, "'${\(Excerpt.of(text))}' is no reference", "roots: params, vars, steps, state, run, and the variable of a for_each"
                ))
        }
        guard !scanner.isAtEnd else {
            return .success(Reference(root: root, path: nil, at: at, source: text))
        }
        guard scanner.take(".") else {
            return .failure(Failure(at, "'${\(Excerpt.of(text))}' is no reference", "there are no functions and no arithmetic"))
        }
        // Two characters of `${` and what was read of the root.
        switch StatePathParser.parse(scanner.rest, at: at, indent: 2 + scanner.position, allowsReferences: false) {
        case .success(let path): return .success(Reference(root: root, path: path, at: at, source: text))
        case .failure(let problem): return .failure(Failure(problem.value.at, "'${\(Excerpt.of(text))}': \(problem.value.message)"))
        }
    }
}

/// Walks over a text, counting characters as YAML marks do.
struct TextScanner {
    private let scalars: [Unicode.Scalar]
    private(set) var position = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    var isAtEnd: Bool { position >= scalars.count }
    var rest: String { string(position, scalars.count) }

    func peeks(_ text: String) -> Bool { scalars[position...].starts(with: text.unicodeScalars) }

    mutating func take(_ text: String) -> Bool {
        guard peeks(text) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    mutating func next() -> Character {
        position += 1
        return Character(scalars[position - 1])
    }

    /// Everything before `end`, which is not taken.
    mutating func until(_ end: Unicode.Scalar) -> String {
        let start = position
        while position < scalars.count, scalars[position] != end { position += 1 }
        return string(start, position)
    }

    /// Letters, digits, `_`, and what stands in `extra`.
    mutating func word(with extra: String = "") -> String {
        let start = position
        while position < scalars.count, TextScanner.isWord(scalars[position]) || extra.unicodeScalars.contains(scalars[position]) {
            position += 1
        }
        return string(start, position)
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_")
    }

    private func string(_ from: Int, _ to: Int) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[from..<to])
        return String(text)
    }
}
