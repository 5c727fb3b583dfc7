import Operations

extension ParsedArguments {
    /// The JSON object of the parameters that were given; durations and sizes stay as typed.
    package func input(of parameters: [ParameterDefinition]) -> JSONValue {
        var members: [JSONValue.Member] = []
        for parameter in parameters where isGiven(parameter.name) {
            let value: JSONValue =
                switch parameter.kind {
                case .flag: .bool(true)
                case .integer: .number("\(text(parameter.name).flatMap { Int64($0) } ?? 0)")
                case .textList: .array(list(parameter.name).map { .string($0) })
                case .text, .name, .nodeName, .address, .size, .duration, .choice: .string(text(parameter.name) ?? "")
                }
            members.append(.init(name: parameter.name, value: value))
        }
        return .object(members)
    }
}
