import ClusterModel

/// Gathers what is found while a file is read: errors, warnings, the place of every value, and the known keys.
final class DiagnosticCollector {
    let file: String
    private(set) var errors: [Diagnostic] = []
    private(set) var warnings: [Diagnostic] = []
    /// Every key a reader asked for, in the order of asking.
    private(set) var keys: [KeyDefinition] = []
    /// Where the file gives each key it has.
    private(set) var positions: [String: TextPosition] = [:]

    init(file: String, errors: [Diagnostic] = []) {
        self.file = file
        self.errors = errors
    }

    /// Limit: `YAMLDocument.maximumErrors`; the rest would not be read.
    var isFull: Bool { errors.count >= YAMLDocument.maximumErrors }

    func error(_ message: String, at position: TextPosition, hint: String? = nil) {
        guard !isFull else { return }
        errors.append(Diagnostic(.error, file: file, position: position, message, hint: hint))
    }

    func warning(_ message: String, at position: TextPosition, hint: String? = nil) {
        warnings.append(Diagnostic(.warning, file: file, position: position, message, hint: hint))
    }

    /// An error about the value of `key`, at its place or, when the file does not give it, at its section's.
    func error(about key: String, _ message: String, hint: String? = nil) {
        error(message, at: position(of: key), hint: hint)
    }

    func warning(about key: String, _ message: String, hint: String? = nil) {
        warning(message, at: position(of: key), hint: hint)
    }

    func noteKnown(_ key: String) { keys.append(KeyDefinition(name: key)) }
    func describe(_ key: String, _ change: (inout KeyDefinition) -> Void) {
        guard let index = keys.lastIndex(where: { $0.name == key }) else { return }
        change(&keys[index])
    }
    func notePosition(of key: String, _ position: TextPosition) { positions[key] = position }
    func isWritten(_ key: String) -> Bool { positions[key] != nil }

    private func position(of key: String) -> TextPosition {
        if let position = positions[key] { return position }
        guard let dot = key.lastIndex(of: ".") else { return .start }
        return position(of: String(key[..<dot]))
    }
}
