import ClusterModel

/// Other names and addresses for a state document that is kept as a fixture: the same one everywhere for the same node.
struct StateRedaction {
    private var replacements: [String: String] = [:]

    init(_ document: StateDocument) {
        for (position, node) in document.nodes.sorted(by: { $0.name < $1.name }).enumerated() {
            replacements[node.name.rawValue] = "member\(position + 1)"
            replacements[node.name.slotName] = "member\(position + 1)"
            // RFC 5737: addresses for documentation.
            replacements[node.address] = "192.0.2.\(position + 1)"
        }
        if let address = document.vip.address { replacements[address] = "192.0.2.100" }
        if replacements[document.cluster.name] == nil { replacements[document.cluster.name] = "cluster" }
    }

    func applied(to document: StateDocument) throws(BastionError) -> StateDocument {
        let value = try JSONParser.parse(try JSONText.encode(document))
        return try JSONText.decode(StateDocument.self, from: changed(value).bytes)
    }

    private func changed(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(changed(text))
        case .array(let elements): .array(elements.map(changed))
        case .object(let members): .object(members.map { .init(name: $0.name, value: changed($0.value)) })
        case .null, .bool, .number: value
        }
    }

    /// Whole words only, so that `node1` is not found inside `node10`.
    private func changed(_ text: String) -> String {
        if let whole = replacements[text] { return whole }
        var result = ""
        var word = ""
        for character in text {
            if character.isLetter || character.isNumber || "._-".contains(character) {
                word.append(character)
            } else {
                result += (replacements[word] ?? word) + String(character)
                word = ""
            }
        }
        return result + (replacements[word] ?? word)
    }
}
