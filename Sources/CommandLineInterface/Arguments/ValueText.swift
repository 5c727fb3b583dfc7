import ClusterModel
import Operations

/// Checks values as people type them (`cli.md` section 2).
enum ValueText {
    /// Why `text` is no value of this kind; nil when it is one.
    static func complaint(_ text: String, for argument: ArgumentSpecification) -> String? {
        switch argument.kind {
        case .integer:
            Int64(text) == nil ? "it must be a whole number" : nil
        case .duration:
            DurationValue(text) == nil ? "it must be a duration such as 500ms, 30s, 5m, 2h or 7d" : nil
        case .size:
            SizeValue(text) == nil ? "it must be a size such as 512KiB, 10MiB, 1GiB, or plain bytes" : nil
        case .choice:
            argument.choices.contains(text) ? nil : "it must be one of \(argument.choices.joined(separator: ", "))"
        case .nodeName:
            NodeName.isValid(text)
                ? nil : "it must be a node name: lower-case letters, digits and hyphens, at most 63 characters"
        case .text, .address, .flag, .textList, .file:
            nil
        }
    }
}
