import ClusterModel
import CommandLineInterface

/// Contexts as a file would give them; there is no current one.
enum SampleContexts {
    static let protected = ClusterContext(
        name: "production", endpoints: ["https://10.0.1.1:8080"], output: "json", isProtected: true)

    static func find(_ name: String?) throws(BastionError) -> ClusterContext? {
        guard let name else { return nil }
        guard name == protected.name else { throw BastionError(.notFound, "there is no context \"\(name)\"") }
        return protected
    }
}
