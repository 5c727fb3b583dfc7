import ClusterModel

/// Reads the keys of one section. Asking for a key makes it known; `finish` reports the others.
final class SectionReader {
    /// `raft`, `proxy.pool`; empty for the whole file.
    let path: String
    let collector: DiagnosticCollector
    private let node: YAMLNode?
    private var asked: [String] = []

    init(_ node: YAMLNode?, path: String, collector: DiagnosticCollector) {
        self.path = path
        self.collector = collector
        guard let node, !node.isNull, node.content != .invalid else {
            self.node = nil
            return
        }
        if case .mapping = node.content {
            self.node = node
        } else {
            let what = path.isEmpty ? "the file" : "\"\(path)\""
            collector.error("\(what) must hold \"key: value\" lines, not \(node.kind)", at: node.position)
            self.node = nil
        }
    }

    /// Whether the file has this section with at least one key.
    var isPresent: Bool { node != nil }
    var position: TextPosition { node?.position ?? .start }

    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The value of `key`, also a null one; notes that the key is known.
    func find(_ key: String) -> YAMLNode? {
        asked.append(key)
        collector.noteKnown(name(key))
        guard let entry = node?.entries?.first(where: { $0.key == key }) else { return nil }
        collector.notePosition(of: name(key), entry.value.isNull ? entry.position : entry.value.position)
        return entry.value
    }

    func section(_ key: String) -> SectionReader {
        asked.append(key)
        let entry = node?.entries?.first { $0.key == key }
        if let entry { collector.notePosition(of: name(key), entry.position) }
        return SectionReader(entry?.value, path: name(key), collector: collector)
    }

    /// A key that is accepted and does nothing any more.
    func ignored(_ key: String, hint: String) {
        let isGiven = find(key) != nil
        collector.describe(name(key)) { $0.replacement = hint }
        guard isGiven else { return }
        collector.warning(about: name(key), "\"\(name(key))\" has no effect", hint: hint)
    }

    /// Reports every key nobody asked for.
    func finish() {
        for entry in node?.entries ?? [] where !asked.contains(entry.key) && !collector.isFull {
            let shown = Diagnostic.excerpt(name(entry.key))
            let near = Suggestion.closest(to: entry.key, among: asked)
            let hint = near.map { "did you mean \"\($0)\"?" } ?? "known keys: \(asked.sorted().joined(separator: ", "))"
            collector.error("unknown key \"\(shown)\"", at: entry.position, hint: hint)
        }
    }

    // MARK: one value

    /// The value of `key` as `parse` understands it; nil when it is absent or wrong, which is reported.
    ///
    /// - Parameter expected: Ends the sentence "... is not"; such as `a port from 1 to 65535`.
    func value<T>(_ key: String, _ expected: String, form: ValueForm = .text, _ parse: (String, Bool) -> T?) -> T? {
        let node = find(key)
        collector.describe(name(key)) { ($0.expected, $0.form) = (expected, form) }
        guard let text = scalar(node, key) else { return nil }
        return parsed(text, name(key), expected, parse)
    }

    /// The values of a list; a single value is a list of one. nil when one of them is wrong, which is reported.
    func list<T>(_ key: String, _ expected: String, form: ValueForm = .text, _ parse: (String, Bool) -> T?) -> [T]? {
        let found = find(key)
        collector.describe(name(key)) { ($0.expected, $0.form, $0.isList) = (expected, form, true) }
        guard let node = found else { return nil }
        guard let elements = node.elements else {
            guard let text = scalar(node, key) else { return nil }
            return parsed(text, name(key), expected, parse).map { [$0] }
        }
        let values = elements.compactMap { element in
            scalar(element, key).flatMap { parsed($0, name(key), expected, parse) }
        }
        return values.count == elements.count ? values : nil
    }

    private struct Scalar {
        let text: String
        let isPlain: Bool
        let position: TextPosition
    }

    private func scalar(_ node: YAMLNode?, _ key: String) -> Scalar? {
        guard let node, node.content != .invalid else { return nil }
        guard case .scalar(let text, let isPlain) = node.content else {
            collector.error("\"\(name(key))\" must be a single value, not \(node.kind)", at: node.position)
            return nil
        }
        guard !node.isNull else {
            collector.error(
                about: name(key), "\"\(name(key))\" has no value",
                hint: "give one, or remove the key to get its default")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            collector.error("\"\(name(key))\" contains a control character or a line break", at: node.position)
            return nil
        }
        return Scalar(text: text, isPlain: isPlain, position: node.position)
    }

    private func parsed<T>(_ scalar: Scalar, _ name: String, _ expected: String, _ parse: (String, Bool) -> T?) -> T? {
        if let value = parse(scalar.text, scalar.isPlain) { return value }
        let quoted = !scalar.isPlain && parse(scalar.text, true) != nil
        let hint = quoted ? "remove the quotes" : nil
        let shown = Diagnostic.excerpt(scalar.text)
        collector.error("\"\(name)\" is \"\(shown)\", which is not \(expected)", at: scalar.position, hint: hint)
        return nil
    }
}
