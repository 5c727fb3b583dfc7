import Operations

/// One argument of a command, as every projection needs it: parsing, help, completions.
struct ArgumentSpecification: Sendable, Equatable {
    enum Kind: String, Sendable {
        case text, nodeName, address, flag, integer, size, duration, choice, textList, file
    }
    enum Section: Sendable { case own, common }

    /// snake_case; spelled with hyphens on the command line.
    var name: String
    var short: Character?
    var kind: Kind
    var help: String
    var section = Section.own
    var isRequired = false
    /// Given by position (0 first); nil: an option.
    var position: Int?
    var defaultText: String?
    var choices: [String] = []
    /// What stands for the value in usage lines: `FILE`; nil: the name itself.
    var valueName: String?
    /// Read when the argument is absent.
    var environmentVariable: String?

    /// `--max-lag`; a name of one letter is a short option.
    var longOption: String? { name.count > 1 ? "--" + hyphenated : nil }
    var shortOption: String? { (short ?? (name.count == 1 ? name.first : nil)).map { "-\($0)" } }
    var hyphenated: String { String(name.map { $0 == "_" ? "-" : $0 }) }
    /// All spellings, the short one first; empty for a positional argument.
    var spellings: [String] { position == nil ? [shortOption, longOption].compactMap { $0 } : [] }
    var shownValueName: String {
        if let valueName { return valueName }
        guard position == nil else { return hyphenated }
        return switch kind {
        case .nodeName: "NODE"
        case .address: "ADDRESS"
        case .size: "SIZE"
        case .duration: "DURATION"
        case .integer: "N"
        case .text, .flag, .choice, .textList, .file: hyphenated.uppercased()
        }
    }
}

extension ArgumentSpecification {
    /// Options that other programs have accustomed people to: `tail -f`, `-p NAME=VALUE`.
    private static let letters: [String: Character] = ["follow": "f", "param": "p"]

    init(_ parameter: ParameterDefinition) {
        self.init(
            name: parameter.name, short: ArgumentSpecification.letters[parameter.name], kind: Kind(parameter.kind),
            help: parameter.help, isRequired: parameter.isRequired, position: parameter.position,
            defaultText: parameter.defaultText, choices: parameter.choices)
    }
}

extension ArgumentSpecification.Kind {
    init(_ kind: ParameterDefinition.Kind) {
        self =
            switch kind {
            case .text, .name: .text
            case .nodeName: .nodeName
            case .address: .address
            case .flag: .flag
            case .integer: .integer
            case .size: .size
            case .duration: .duration
            case .choice: .choice
            case .textList: .textList
            }
    }
}
