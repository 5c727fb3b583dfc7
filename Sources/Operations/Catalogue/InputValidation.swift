import ClusterModel

/// Compares a JSON input with the parameters of an operation before it is decoded (Q03).
package enum InputValidation {
    /// The input without nulls, as bytes. An empty input is `{}` (Q02).
    package static func check(
        _ bytes: [UInt8], against definition: OperationDefinition
    ) throws(BastionError) -> [UInt8] {
        let isBlank = bytes.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        let document = isBlank ? .object([]) : try JSONParser.parse(bytes)
        guard let members = document.members else {
            throw BastionError(.invalidRequest, "the input must be a JSON object, not \(document.kindName)")
        }
        let given = members.filter { $0.value != .null }
        try refuseUnknown(members, definition)
        for member in given {
            guard let parameter = definition.parameters.first(where: { $0.name == member.name }) else { continue }
            try check(member.value, parameter)
        }
        for parameter in definition.parameters where parameter.isRequired {
            guard given.contains(where: { $0.name == parameter.name }) else {
                throw BastionError(
                    .invalidRequest, "field \"\(parameter.name)\" is missing", detail: parameter.help,
                    hint: definition.examples.first.map { "example: \($0)" })
            }
        }
        return JSONValue.object(given).bytes
    }

    private static func refuseUnknown(
        _ members: [JSONValue.Member], _ definition: OperationDefinition
    ) throws(BastionError) {
        let known = definition.parameters.map(\.name)
        guard let stranger = members.first(where: { !known.contains($0.name) }) else { return }
        throw BastionError(
            .invalidRequest, "unknown field \"\(stranger.name.prefix(100))\"",
            hint: NameSuggestion.hint(for: stranger.name, among: known))
    }

    private static func check(_ value: JSONValue, _ parameter: ParameterDefinition) throws(BastionError) {
        switch parameter.kind {
        case .flag:
            guard case .bool = value else { throw wrongType(value, parameter, "true or false") }
        case .integer:
            guard let number = value.integer else { throw wrongType(value, parameter, "a whole number") }
            guard parameter.limits.allows(integer: number) else {
                throw invalid(value, parameter, parameter.limits.integerText)
            }
        case .textList:
            guard let elements = value.elements, elements.allSatisfy({ $0.string != nil }) else {
                throw wrongType(value, parameter, "an array of strings")
            }
            guard !elements.isEmpty || !parameter.isRequired else {
                throw BastionError(.invalidRequest, "field \"\(parameter.name)\" is empty")
            }
            for element in elements { try checkLength(element.string ?? "", parameter) }
        case .size:
            let isSize = value.string.map { SizeValue($0).map { $0.bytes <= Int64.max } ?? false } ?? value.integer.map { $0 >= 0 } ?? false
            guard isSize else { throw invalid(value, parameter, "a size such as 10MiB, or a number of bytes") }
        case .duration:
            guard let text = value.string else { throw wrongType(value, parameter, "a duration such as \"30s\"") }
            guard let duration = DurationValue(text) else {
                throw invalid(value, parameter, "a duration such as 30s, 5m or 2h")
            }
            guard parameter.limits.allows(duration) else { throw invalid(value, parameter, parameter.limits.durationText) }
        case .nodeName:
            guard let text = value.string else { throw wrongType(value, parameter, "a string") }
            guard NodeName.isValid(text) else { throw invalid(value, parameter, "a node name") }
        case .choice:
            guard let text = value.string else { throw wrongType(value, parameter, "a string") }
            guard parameter.choices.contains(text) else {
                throw invalid(value, parameter, "one of \(parameter.choices.joined(separator: ", "))")
            }
        case .name:
            guard let text = value.string else { throw wrongType(value, parameter, "a string") }
            guard ParameterLimits.isName(text) else {
                throw invalid(value, parameter, "a name: 1 to 64 of the characters A-Z a-z 0-9 . _ -")
            }
        case .text, .address:
            guard let text = value.string else { throw wrongType(value, parameter, "a string") }
            try checkLength(text, parameter)
        }
    }

    private static func checkLength(_ text: String, _ parameter: ParameterDefinition) throws(BastionError) {
        guard text.unicodeScalars.count <= parameter.limits.longest else {
            throw BastionError(
                .invalidRequest, "field \"\(parameter.name)\" is longer than \(parameter.limits.longest) characters")
        }
        guard parameter.limits.allowsEmpty || !text.isEmpty else {
            throw BastionError(.invalidRequest, "field \"\(parameter.name)\" is empty")
        }
    }

    private static func wrongType(
        _ value: JSONValue, _ parameter: ParameterDefinition, _ expected: String
    ) -> BastionError {
        BastionError(.invalidRequest, "field \"\(parameter.name)\" must be \(expected), not \(value.kindName)")
    }

    private static func invalid(
        _ value: JSONValue, _ parameter: ParameterDefinition, _ expected: String
    ) -> BastionError {
        let shown = value.string.map { "\"\($0.prefix(100))\"" } ?? value.kindName
        return BastionError(.invalidRequest, "field \"\(parameter.name)\": \(shown) is not \(expected)")
    }
}
