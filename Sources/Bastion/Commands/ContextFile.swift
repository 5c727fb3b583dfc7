import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc

/// The clusters a person gave names to: `$XDG_CONFIG_HOME/pgbastion/contexts.yaml` (`cli.md` section 1).
package struct ContextFile: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var endpoints: [String]
        package var authorityFile: String?
        package var tokenFile: String?
        package var output: String?
        package var isProtected: Bool

        package init(
            name: String, endpoints: [String], authorityFile: String? = nil, tokenFile: String? = nil,
            output: String? = nil, isProtected: Bool = false
        ) {
            self.name = name
            self.endpoints = endpoints
            self.authorityFile = authorityFile
            self.tokenFile = tokenFile
            self.output = output
            self.isProtected = isProtected
        }
    }

    /// The one that is taken without `--context`.
    package var current: String?
    /// In the order of the file; names are unique.
    package var entries: [Entry] = []

    package init() {}

    /// nil when neither `XDG_CONFIG_HOME` nor `HOME` is set: there is no file then.
    package static func path(_ environment: [String: String]) -> String? {
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") { return folder + "/pgbastion/contexts.yaml" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.config/pgbastion/contexts.yaml" : nil }
    }

    /// The contexts of the file; none when it does not exist.
    ///
    /// - Throws: `invalid_configuration` with the place of what is wrong.
    package static func load(_ path: String?) throws(BastionError) -> ContextFile {
        guard let path, access(path, F_OK) == 0 else { return ContextFile() }
        guard let text = TextFiles.read(path) else {
            throw BastionError(.io, "could not read \"\(path)\"", detail: String(cString: strerror(errno)))
        }
        let root: YAMLNode
        do throws(ConfigurationErrors) { root = try YAMLDocument.parse(text, file: path) } catch { throw error.bastionError }
        return try ContextFile(root, path)
    }

    package func save(_ path: String?) throws(BastionError) {
        guard let path else {
            throw BastionError(.usage, "there is no place for contexts: neither XDG_CONFIG_HOME nor HOME is set")
        }
        let folder = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw BastionError(.io, "could not make the folder \"\(folder)\"", detail: "\(error)")
        }
        try TextFiles.write(text, to: path)
    }

    package func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }
}

extension ContextFile {
    private static let known = ["name", "endpoints", "ca", "token_file", "output", "protected"]

    private init(_ root: YAMLNode, _ path: String) throws(BastionError) {
        guard !root.isNull else { return }
        guard let members = root.entries else { throw Self.wrong("it must hold \"key: value\" lines", root, path) }
        for member in members where member.key != "current" && member.key != "contexts" {
            throw Self.wrong("unknown key \"\(member.key.prefix(100))\"", member.value, path)
        }
        current = root["current"]?.text
        for node in root["contexts"]?.elements ?? [] {
            let entry = try Self.entry(node, path)
            guard self.entry(entry.name) == nil else {
                throw Self.wrong("context \"\(entry.name)\" is there twice", node, path)
            }
            entries.append(entry)
        }
    }

    private static func entry(_ node: YAMLNode, _ path: String) throws(BastionError) -> Entry {
        guard let members = node.entries else { throw wrong("a context must be a section", node, path) }
        for member in members where !known.contains(member.key) {
            throw wrong("unknown key \"\(member.key.prefix(100))\"", member.value, path)
        }
        guard let name = node["name"]?.text, isName(name) else { throw wrong("a context needs a name", node, path) }
        let endpoints = node["endpoints"]?.elements?.compactMap(\.text) ?? node["endpoints"]?.text.map { [$0] } ?? []
        guard !endpoints.isEmpty else { throw wrong("context \"\(name)\" has no endpoints", node, path) }
        let isProtected = node["protected"]?.text ?? "false"
        guard isProtected == "true" || isProtected == "false" else {
            throw wrong("\"protected\" of context \"\(name)\" must be true or false", node, path)
        }
        return Entry(
            name: name, endpoints: endpoints, authorityFile: node["ca"]?.text, tokenFile: node["token_file"]?.text,
            output: node["output"]?.text, isProtected: isProtected == "true")
    }

    /// Letters, digits, `.`, `_`, `-`; at most 63 characters.
    package static func isName(_ text: String) -> Bool {
        let isSafe = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "._-".utf8.contains(byte)
        }
        return isSafe && !text.isEmpty && text.utf8.count <= 63 && !text.hasPrefix("-")
    }

    private static func wrong(_ reason: String, _ node: YAMLNode, _ path: String) -> BastionError {
        let place = "\(path):\(node.position.line):\(node.position.column)"
        return BastionError(.invalidConfiguration, "cannot use the contexts file: \(reason)", detail: place)
    }

    private var text: String {
        var lines = ["# Written by `pgbastion context`."]
        if let current { lines.append("current: \(Self.quoted(current))") }
        lines.append(entries.isEmpty ? "contexts: []" : "contexts:")
        for entry in entries {
            lines.append("  - name: \(Self.quoted(entry.name))")
            lines.append("    endpoints: [\(entry.endpoints.map(Self.quoted).joined(separator: ", "))]")
            if let file = entry.authorityFile { lines.append("    ca: \(Self.quoted(file))") }
            if let file = entry.tokenFile { lines.append("    token_file: \(Self.quoted(file))") }
            if let output = entry.output { lines.append("    output: \(Self.quoted(output))") }
            if entry.isProtected { lines.append("    protected: true") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}
