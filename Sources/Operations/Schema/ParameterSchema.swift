import ClusterModel

/// JSON Schema of what an operation takes.
package enum ParameterSchema {
    /// Of the whole input: every field there is, and no other.
    package static func input(_ parameters: [ParameterDefinition]) -> JSONValue {
        .record([
            ("type", .string("object")), ("additionalProperties", .bool(false)),
            ("properties", .record(parameters.map { ($0.name, $0.isRequired ? schema($0) : orNull(schema($0))) })),
            ("required", .array(parameters.filter(\.isRequired).map { .string($0.name) })),
        ])
    }

    /// Of one field.
    package static func schema(_ parameter: ParameterDefinition) -> JSONValue {
        var members = form(parameter)
        if !parameter.help.isEmpty { members.append(("description", .string(description(parameter)))) }
        return .record(members)
    }

    /// A field that may be left out may be null as well.
    private static func orNull(_ schema: JSONValue) -> JSONValue {
        let members = (schema.members ?? []).map { member -> (String, JSONValue) in
            switch (member.name, member.value) {
            case ("type", .string(let name)): ("type", .array([.string(name), .string("null")]))
            case ("enum", .array(let choices)): ("enum", .array(choices + [.null]))
            case ("anyOf", .array(let options)): ("anyOf", .array(options + [.record([("type", .string("null"))])]))
            default: (member.name, member.value)
            }
        }
        return .record(members)
    }

    private static func description(_ parameter: ParameterDefinition) -> String {
        switch parameter.kind {
        case .duration: parameter.help + "; 500ms, 30s, 5m, 2h, 7d or a chain of them such as 1h30m"
        case .size: parameter.help + "; a number of bytes, or a text such as 10MiB"
        default: parameter.help
        }
    }

    private static func form(_ parameter: ParameterDefinition) -> [(String, JSONValue)] {
        let limits = parameter.limits
        switch parameter.kind {
        case .flag: return [("type", .string("boolean"))]
        case .integer:
            return [
                ("type", .string("integer")), ("minimum", .number("\(limits.minimum ?? .min)")),
                ("maximum", .number("\(limits.maximum ?? .max)")),
            ]
        case .textList:
            let few: [(String, JSONValue)] = parameter.isRequired ? [("minItems", .number("1"))] : []
            let many: [(String, JSONValue)] = limits.most.map { [("maxItems", .number("\($0)"))] } ?? []
            let element: [(String, JSONValue)] =
                parameter.choices.isEmpty
                ? text(limits) : [("type", .string("string")), ("enum", .array(parameter.choices.map(JSONValue.string)))]
            return [("type", .string("array")), ("items", .record(element))] + few + many
        case .text: return text(limits)
        case .address:
            let form = "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?(:[1-9][0-9]{0,3})?$"
            return text(limits.form == nil ? ParameterLimits(form: form) : limits)
        case .name: return [("type", .string("string")), ("pattern", .string("^[A-Za-z0-9._-]{1,64}$"))]
        case .nodeName:
            return [("type", .string("string")), ("pattern", .string("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
        case .choice: return [("type", .string("string")), ("enum", .array(parameter.choices.map(JSONValue.string)))]
        case .duration: return [("type", .string("string")), ("pattern", .string(durationPattern(limits)))]
        case .size:
            return [
                (
                    "anyOf",
                    .array([
                        .record([
                            ("type", .string("integer")), ("minimum", .number("0")), ("maximum", .number("\(Int64.max)")),
                        ]),
                        .record([
                            ("type", .string("string")),
                            ("pattern", .string("^[0-9]{1,5}(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?$")),
                        ]),
                    ])
                )
            ]
        }
    }

    private static func text(_ limits: ParameterLimits) -> [(String, JSONValue)] {
        if let form = limits.form { return [("type", .string("string")), ("pattern", .string(form))] }
        return [("type", .string("string")), ("maxLength", .number("\(limits.longest)"))]
            + (limits.allowsEmpty ? [] : [("minLength", .number("1"))])
    }

    /// One number with one unit, within the limits; chains are taken as well, which no pattern could bound.
    private static func durationPattern(_ limits: ParameterLimits) -> String {
        let shortest = max(1, limits.shortest?.inMilliseconds ?? 1)
        let latest = limits.latest?.inMilliseconds ?? 3650 * 86_400_000
        let units: [(name: String, milliseconds: Int64)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        let forms = units.compactMap { unit -> String? in
            // So few digits that no number is too large, so many that none is too small.
            let most = "\(latest / unit.milliseconds)".utf8.count - 1
            let least = unit.milliseconds >= shortest ? 1 : "\((shortest - 1) / unit.milliseconds)".utf8.count + 1
            guard most >= least else { return nil }
            return "[1-9][0-9]{\(least - 1),\(min(most, 9) - 1)}\(unit.name)"
        }
        return "^(\((shortest == 1 ? ["0"] : []).joined())\(shortest == 1 ? "|" : "")\(forms.joined(separator: "|")))$"
    }
}
