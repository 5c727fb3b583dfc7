import Operations

/// The arguments of one command after parsing: values by argument name (snake_case).
package struct ParsedArguments: Sendable, Equatable {
    private var values: [String: [String]] = [:]
    private var flags: Set<String> = []

    package init() {}

    /// The last value given; nil when absent.
    package func text(_ name: String) -> String? { values[name]?.last }
    /// Every value given, in order.
    package func list(_ name: String) -> [String] { values[name] ?? [] }
    package func flag(_ name: String) -> Bool { flags.contains(name) }
    package func duration(_ name: String) -> Duration? { text(name).flatMap { DurationValue($0)?.duration } }
    package func isGiven(_ name: String) -> Bool { flags.contains(name) || !(values[name] ?? []).isEmpty }

    mutating func set(_ name: String, _ list: [String]) { values[name] = list }
    mutating func setFlag(_ name: String) { flags.insert(name) }

    /// Takes what was not given from the environment; why a variable's value is wrong, or nil.
    mutating func fill(_ arguments: [ArgumentSpecification], from environment: [String: String]) -> String? {
        for argument in arguments where !isGiven(argument.name) {
            guard let variable = argument.environmentVariable, let text = environment[variable], !text.isEmpty
            else { continue }
            if let complaint = ValueText.complaint(text, for: argument) {
                return "The value '\(text)' is invalid for \(variable): \(complaint)"
            }
            if argument.kind == .flag { setFlag(argument.name) } else { set(argument.name, [text]) }
        }
        return nil
    }

    mutating func merge(_ other: ParsedArguments) {
        values.merge(other.values) { _, new in new }
        flags.formUnion(other.flags)
    }
}
