import ArgumentParser
import ClusterModel

/// What the argument parser has to know of one command. It parses, explains and completes from this value alone.
struct CommandShape: Sendable {
    var words: [String]
    var summary: String
    var discussion: String
    var arguments: [ArgumentSpecification]

    static let empty = CommandShape(words: [], summary: "", discussion: "", arguments: [])

    var ownArguments: [ArgumentSpecification] {
        let own = arguments.filter { $0.section == .own }
        let positional = own.filter { $0.position != nil }.sorted { ($0.position ?? 0) < ($1.position ?? 0) }
        return positional + own.filter { $0.position == nil }
    }
    var commonArguments: [ArgumentSpecification] { arguments.filter { $0.section == .common } }
    /// `pgbastion peer add`
    var fullName: String { (["pgbastion"] + words).joined(separator: " ") }
}

extension CommandShape {
    enum Outcome {
        case parsed(ParsedArguments)
        case helpRequested
        /// The parser's own text, with usage and a suggestion.
        case wrong(String)
    }

    func parse(_ arguments: [String]) -> Outcome {
        ProjectedCommand.$shape.withValue(self) {
            do {
                return .parsed(try ProjectedCommand.parse(arguments).values)
            } catch {
                guard ProjectedCommand.exitCode(for: error) != .success else { return .helpRequested }
                return .wrong(Self.brief(ProjectedCommand.fullMessage(for: error), fullName))
            }
        }
    }

    /// The parser answers a line without any argument with the whole help; usage is enough.
    private static func brief(_ message: String, _ fullName: String) -> String {
        let blocks = blocks(of: message)
        guard blocks.contains(where: { $0.hasPrefix("OVERVIEW:") }), let first = blocks.first else { return message }
        return "\(first)\nUsage: \(ProjectedCommand.usageString())\n"
            + "  See '\(fullName) --help' for more information."
    }

    /// Usage, arguments and options, the common ones last; `columns` nil: as wide as the terminal.
    func help(columns: Int?) -> String {
        let message = ProjectedCommand.$shape.withValue(self) { ProjectedCommand.helpMessage(columns: columns) }
        let blocks = Self.blocks(of: message)
        let common = blocks.filter { $0.hasPrefix("COMMON OPTIONS:") }
        return (blocks.filter { !$0.hasPrefix("COMMON OPTIONS:") } + common).joined(separator: "\n\n")
    }

    /// The parts of a message that empty lines separate.
    private static func blocks(of message: String) -> [String] {
        var blocks: [[Substring]] = [[]]
        for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty { blocks.append([]) } else { blocks[blocks.count - 1].append(line) }
        }
        return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
    }
}

/// The one command type the argument parser sees; `shape` says which command it is for the present call.
///
/// The parser finds a command's arguments by reflection on a fresh value and reads them through `Decodable`. Both are
/// given by hand here, so that no parameter list has to be repeated as stored properties (decision 0010).
private struct ProjectedCommand: ParsableCommand, CustomReflectable {
    @TaskLocal static var shape = CommandShape.empty
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: shape.fullName, abstract: shape.summary, discussion: shape.discussion)
    }
    private static let commonKey = "common"

    var values = ParsedArguments()

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: TextKey.self)
        for argument in Self.shape.ownArguments { try argument.read(from: container, into: &values) }
        guard !Self.shape.commonArguments.isEmpty else { return }
        let group = try container.decode(OptionGroup<CommonArguments>.self, forKey: TextKey(Self.commonKey))
        values.merge(group.wrappedValue.values)
    }

    var customMirror: Mirror {
        var children = Self.shape.ownArguments.map { Mirror.Child(label: $0.name, value: $0.wrapper) }
        if !Self.shape.commonArguments.isEmpty {
            let group = OptionGroup<CommonArguments>(title: "Common options")
            children.append(Mirror.Child(label: Self.commonKey, value: group))
        }
        return Mirror(self, children: children)
    }

    /// The options of `cli.md` section 2, in a section of their own in the help.
    struct CommonArguments: ParsableArguments, CustomReflectable {
        var values = ParsedArguments()

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: TextKey.self)
            for argument in ProjectedCommand.shape.commonArguments {
                try argument.read(from: container, into: &values)
            }
        }

        var customMirror: Mirror {
            let arguments = ProjectedCommand.shape.commonArguments
            return Mirror(self, children: arguments.map { Mirror.Child(label: $0.name, value: $0.wrapper) })
        }
    }
}

extension ArgumentSpecification {
    /// The property wrapper a hand-written command would declare for this argument.
    fileprivate var wrapper: Any {
        if kind == .flag { return Flag(wrappedValue: false, name: names, help: argumentHelp) }
        let checked = checking
        switch (position != nil, kind == .textList, isRequired) {
        case (true, true, true): return Argument<[String]>(help: argumentHelp, transform: checked)
        case (true, true, false): return Argument<[String]>(wrappedValue: [], help: argumentHelp, transform: checked)
        case (true, false, true): return Argument<String>(help: argumentHelp, transform: checked)
        case (true, false, false): return Argument<String?>(help: argumentHelp, transform: checked)
        case (false, true, true): return Option<[String]>(name: names, help: argumentHelp, transform: checked)
        case (false, true, false):
            return Option<[String]>(wrappedValue: [], name: names, help: argumentHelp, transform: checked)
        case (false, false, true): return Option<String>(name: names, help: argumentHelp, transform: checked)
        case (false, false, false): return Option<String?>(name: names, help: argumentHelp, transform: checked)
        }
    }

    fileprivate func read(
        from container: KeyedDecodingContainer<TextKey>, into values: inout ParsedArguments
    ) throws {
        let key = TextKey(name)
        if kind == .flag {
            if try container.decode(Flag<Bool>.self, forKey: key).wrappedValue { values.setFlag(name) }
            return
        }
        let given: [String] =
            switch (position != nil, kind == .textList, isRequired) {
            case (true, true, _): try container.decode(Argument<[String]>.self, forKey: key).wrappedValue
            case (true, false, true): [try container.decode(Argument<String>.self, forKey: key).wrappedValue]
            case (true, false, false):
                [try container.decode(Argument<String?>.self, forKey: key).wrappedValue].compactMap { $0 }
            case (false, true, _): try container.decode(Option<[String]>.self, forKey: key).wrappedValue
            case (false, false, true): [try container.decode(Option<String>.self, forKey: key).wrappedValue]
            case (false, false, false):
                [try container.decode(Option<String?>.self, forKey: key).wrappedValue].compactMap { $0 }
            }
        values.set(name, given)
    }

    private var checking: @Sendable (String) throws -> String {
        { text in
            if let complaint = ValueText.complaint(text, for: self) { throw ValidationError(complaint) }
            return text
        }
    }

    private var names: NameSpecification {
        var elements: [NameSpecification.Element] = []
        if let letter = shortOption?.last { elements.append(.customShort(letter)) }
        if longOption != nil { elements.append(.customLong(hyphenated)) }
        return NameSpecification(elements)
    }

    private var argumentHelp: ArgumentHelp {
        var text = help
        if !choices.isEmpty { text += " (\(choices.joined(separator: ", ")))" }
        if let defaultText { text += " (default: \(defaultText))" }
        if let environmentVariable { text += " [\(environmentVariable)]" }
        return ArgumentHelp(stringLiteral: text).named(kind == .flag ? nil : shownValueName)
    }
}

extension ArgumentHelp {
    fileprivate func named(_ valueName: String?) -> ArgumentHelp {
        var copy = self
        copy.valueName = valueName
        return copy
    }
}
