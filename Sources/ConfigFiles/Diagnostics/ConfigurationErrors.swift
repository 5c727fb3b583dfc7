import ClusterModel

/// Why a file cannot be used: every error found in it, in the order of its lines. Never empty.
package struct ConfigurationErrors: Error, Sendable, Hashable, CustomStringConvertible {
    package let file: String
    package let diagnostics: [Diagnostic]

    init(_ file: String, _ diagnostics: [Diagnostic]) {
        self.file = file
        self.diagnostics = diagnostics.sorted { $0.position < $1.position }
    }

    /// One line per error.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }

    /// The same as an error of the product: exit status 78.
    package var bastionError: BastionError {
        let count = diagnostics.count == 1 ? "1 error" : "\(diagnostics.count) errors"
        return BastionError(
            .invalidConfiguration, "cannot use configuration file \"\(file)\": \(count)", detail: description,
            hint: "correct the file and try again; nothing was applied")
    }
}
