import ConfigFiles
import HTTPAPI

/// What the generated documentation takes from adapters and routes.
package enum DocumentSources {
    /// The API as an OpenAPI 3.1 document.
    package static var openAPI: String { String(decoding: OpenAPIDocument.bytes, as: UTF8.self) }

    /// Every key of the configuration file, with what a value of it is.
    package static var configurationKeys: [(name: String, meaning: String)] {
        ConfigurationFile.keys.map { key in
            var parts = [key.isList ? "\(key.expected), or a list of them" : key.expected]
            if key.isRequired { parts.append("required") }
            if let replacement = key.replacement { parts = ["has no effect: \(replacement)"] }
            return (key.name, parts.joined(separator: "; "))
        }
    }
}
