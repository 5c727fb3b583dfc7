import ClusterModel
import Operations

/// How runbooks are found and read; the composition root gives the means.
package struct RunbookSources: Sendable {
    /// In the order of the search; what does not exist is passed over.
    package var directories: [String]
    /// Names of the files in a directory; empty when there is none.
    package var list: @Sendable (String) -> [String]
    package var read: @Sendable (String) throws(BastionError) -> [UInt8]
    package var parse: @Sendable ([UInt8]) -> YAMLReading

    package init(
        directories: [String], list: @escaping @Sendable (String) -> [String],
        read: @escaping @Sendable (String) throws(BastionError) -> [UInt8], parse: @escaping @Sendable ([UInt8]) -> YAMLReading
    ) {
        self.directories = directories
        self.list = list
        self.read = read
        self.parse = parse
    }

    /// Searches these first; one that was to be searched anyway does not hide its own files.
    package mutating func prefer(_ wanted: [String]) {
        let first = wanted.map { path -> String in
            let plain = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
            return plain.count > 1 && plain.hasSuffix("/") ? String(plain.dropLast()) : plain
        }
        directories = first + directories.filter { !first.contains($0) }
    }

    /// Limits of runbook and test files (runbooks.md, section 1).
    package static let largestFile = 256 << 10
    package static let largestScalar = 8 << 10

    /// A file read and understood as far as it can be.
    package func file(_ path: String) throws(BastionError) -> RunbookFile {
        let bytes = try read(path)
        let reading = parse(bytes)
        let (runbook, diagnostics) = RunbookReader.read(reading, file: path)
        return RunbookFile(path: path, bytes: bytes, reading: reading, runbook: runbook, diagnostics: diagnostics)
    }
}

/// One file of the library.
package struct RunbookFile: Sendable {
    package var path: String
    package var bytes: [UInt8]
    package var reading: YAMLReading
    /// As far as it could be read.
    package var runbook: Runbook?
    /// What reading found; the lint finds more.
    package var diagnostics: [RunbookDiagnostic]

    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// Every runbook that a name can mean: the first directory that has it wins.
package struct RunbookLibrary: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var file: RunbookFile
        /// Paths of files of the same name in later directories.
        package var hides: [String]
    }
    /// In the order of their names.
    package let entries: [Entry]

    package init(_ sources: RunbookSources) throws(BastionError) {
        var found: [String: Entry] = [:]
        for directory in sources.directories {
            for file in sources.list(directory).sorted() where file.hasSuffix(".yaml") && !file.hasSuffix(".test.yaml") {
                let name = String(file.dropLast(5))
                let path = directory == "." ? file : "\(directory)/\(file)"
                if found[name] != nil {
                    found[name]?.hides.append(path)
                } else {
                    found[name] = Entry(name: name, file: try sources.file(path), hides: [])
                }
            }
        }
        entries = found.values.sorted { $0.name < $1.name }
    }

    package var runbooks: [String: Runbook] {
        var runbooks: [String: Runbook] = [:]
        for entry in entries { runbooks[entry.name] = entry.file.runbook }
        return runbooks
    }

    /// The entry, or `not_found` with the name that was probably meant.
    package func require(_ name: String) throws(BastionError) -> Entry {
        if let entry = entries.first(where: { $0.name == name }) { return entry }
        throw BastionError(
            .notFound, "there is no runbook \"\(Excerpt.of(name))\"",
            hint: entries.isEmpty
                ? "none is installed; name a directory with --dir" : NameSuggestion.hint(for: name, among: entries.map(\.name)))
    }
}

extension YAMLNode {
    /// The node as JSON: plain scalars with the types that runbooks give them.
    package var json: JSONValue {
        switch content {
        case .invalid: .null
        case .sequence(let elements): .array(elements.map(\.json))
        case .mapping(let entries): .object(entries.map { .init(name: $0.key, value: $0.value.json) })
        case .scalar(let text, plain: true):
            switch text {
            case "", "~", "null": .null
            case "true", "false": .bool(text == "true")
            default: Ambiguous.isNumber(text) ? .number(text) : .string(text)
            }
        case .scalar(let text, plain: false): .string(text)
        }
    }
}
