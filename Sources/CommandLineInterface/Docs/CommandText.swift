import Operations

/// What every form of the reference says of a command, without markup.
struct CommandText: Sendable {
    var entry: CommandEntry

    /// `pgbastion peer add`
    var name: String { entry.shape.fullName }
    /// `pgbastion-peer-add`
    var pageName: String { "pgbastion-" + entry.words.joined(separator: "-") }

    /// `pgbastion peer add NAME ADDR [--learner]`; common options are `[OPTIONS]`.
    var synopsis: String {
        let own = entry.shape.ownArguments.map(Self.usage)
        let common = entry.shape.commonArguments.isEmpty ? [] : ["[OPTIONS]"]
        return ([name] + own + common).joined(separator: " ")
    }

    var positional: [ArgumentSpecification] { entry.shape.ownArguments.filter { $0.position != nil } }
    var options: [ArgumentSpecification] { entry.shape.ownArguments.filter { $0.position == nil } }
    var commonOptions: [ArgumentSpecification] { entry.shape.commonArguments }

    var aliases: [String] { entry.aliases.map { "pgbastion " + $0.joined(separator: " ") } }

    /// One sentence per line.
    var risk: [String] {
        guard let risk = entry.risk else { return [] }
        return [HelpText.describe(risk)] + HelpText.raises(entry)
    }

    var exitStatuses: [(status: Int32, name: String, meaning: String)] {
        HelpTopic.exitStatuses.filter { entry.exitStatuses.contains($0.status) }
    }

    /// `data` of the JSON document in the notation of the specification: `peers[]{name, address}`.
    var dataFields: String? {
        guard case .operation(let operation) = entry.action else { return nil }
        return Self.fields(operation.outputSchema)
    }

    /// `-o, --output FORMAT`
    static func spelling(_ argument: ArgumentSpecification) -> String {
        guard argument.position == nil else { return argument.shownValueName.uppercased() }
        let names = argument.spellings.joined(separator: ", ")
        return argument.kind == .flag ? names : "\(names) \(argument.shownValueName)"
    }

    /// What is said of an argument, with choices, default and variable.
    static func explanation(_ argument: ArgumentSpecification) -> String {
        var text = argument.help
        if !argument.choices.isEmpty { text += "; one of \(argument.choices.joined(separator: ", "))" }
        if let standard = argument.defaultText { text += "; default \(standard)" }
        if let variable = argument.environmentVariable { text += "; environment \(variable)" }
        return text
    }

    private static func usage(_ argument: ArgumentSpecification) -> String {
        var text = argument.position == nil ? argument.spellings.last ?? "" : argument.shownValueName.uppercased()
        if argument.position == nil, argument.kind != .flag { text += " " + argument.shownValueName }
        let isList = argument.kind == .textList
        return (argument.isRequired ? text : "[\(text)]") + (isList ? "..." : "")
    }

    /// Fields of an object's schema, at most two levels deep.
    private static func fields(_ schema: JSONValue, depth: Int = 0) -> String? {
        if let items = schema["items"] { return fields(items, depth: depth) }
        guard let properties = schema["properties"]?.members, !properties.isEmpty else { return nil }
        return properties.map { member in
            let isList = member.value["items"] != nil
            let inner = depth < 2 ? fields(member.value, depth: depth + 1) : nil
            return member.name + (isList ? "[]" : "") + (inner.map { "{\($0)}" } ?? "")
        }.joined(separator: ", ")
    }
}
