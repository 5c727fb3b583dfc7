import ClusterModel
import Operations

/// Whether the value of an argument is what the operation or check takes (RB023).
struct ArgumentTypes {
    let findings: FindingCollector
    let typeOf: (Reference) -> FieldType?

    func check(_ argument: Argument, _ parameter: ParameterDefinition) {
        let value = argument.value
        if parameter.kind == .textList, case .list(let elements) = value.content {
            for element in elements { check(element, parameter) }
            return
        }
        check(value, parameter)
    }

    private func check(_ value: ValueTemplate, _ parameter: ParameterDefinition) {
        switch value.content {
        case .text(let template):
            if let reference = template.soleReference {
                check(reference, parameter)
            } else if let text = template.literal {
                check(text, template, parameter)
            } else if [.flag, .integer, .duration, .size].contains(parameter.kind) {
                refuse(value.at, "a text", parameter)
            }
        case .literal(.null): refuse(value.at, "nothing", parameter)
        case .literal(.bool(let flag)): if parameter.kind != .flag { refuse(value.at, "\(flag)", parameter) }
        case .literal(let number):
            let fits = parameter.kind == .integer || parameter.kind == .size || parameter.kind == .text || parameter.kind == .textList
            if !fits || (parameter.kind != .text && number.integer == nil) { refuse(value.at, ValueText.plain(number), parameter) }
        case .list: refuse(TextRange(value.at.start, value.at.start), "a list", parameter)
        case .map: refuse(TextRange(value.at.start, value.at.start), "a section", parameter)
        }
    }

    private func check(_ text: String, _ template: Template, _ parameter: ParameterDefinition) {
        let fits: Bool
        var help: String?
        switch parameter.kind {
        case .flag:
            if template.isPlain, Ambiguous.boolean(text) { return ambiguous(text, template.at, "write true or false") }
            fits = false
        case .integer:
            if template.isPlain, Ambiguous.number(text) { return ambiguous(text, template.at, "write a decimal number") }
            fits = false
        case .duration:
            fits = Quantity.duration(text) != nil
            help = Quantity.durationHelp(text)
        case .size:
            fits = Quantity.bytes(text) != nil
            help = Quantity.bytesHelp(text)
        case .choice, .textList:
            fits = parameter.choices.isEmpty || parameter.choices.contains(text)
            help = Excerpt.help(for: text, among: parameter.choices)
        case .nodeName: fits = NodeName(text) != nil
        case .address: fits = PeerAddress(text, defaultPort: 1) != nil
        case .text, .name: fits = true
        }
        if !fits { refuse(template.at, "'\(Excerpt.of(text))'", parameter, help: help) }
    }

    private func check(_ reference: Reference, _ parameter: ParameterDefinition) {
        guard let type = typeOf(reference), type != .any else { return }
        let fits: Bool
        switch parameter.kind {
        case .flag: fits = type == .boolean
        case .integer: fits = type == .integer
        case .duration: fits = type == .seconds
        case .size: fits = type == .bytes || type == .integer
        case .textList: fits = type.isText || type.element?.isText == true
        case .text, .name: fits = type.isScalar && type != .boolean
        case .nodeName, .address, .choice: fits = type.isText || type == .version
        }
        if !fits { refuse(reference.at, "${\(Excerpt.of(reference.source))}, \(type.description),", parameter) }
    }

    private func refuse(_ at: TextRange, _ what: String, _ parameter: ParameterDefinition, help: String? = nil) {
        findings.note(.argument, at: at, "argument '\(parameter.name)' takes \(wanted(parameter)); \(what) is not", help: help)
    }

    private func ambiguous(_ text: String, _ at: TextRange, _ help: String) {
        findings.note(.ambiguousScalar, at: at, "'\(Excerpt.of(text))' is read differently by different programs", help: help)
    }

    private func wanted(_ parameter: ParameterDefinition) -> String {
        switch parameter.kind {
        case .text, .name: "a text"
        case .nodeName: "the name of a node"
        case .address: "an address"
        case .flag: "true or false"
        case .integer: "a whole number"
        case .size: "a size such as 10MiB"
        case .duration: "a duration such as 30s"
        case .choice: "one of \(parameter.choices.joined(separator: ", "))"
        case .textList: "a list of texts"
        }
    }
}
