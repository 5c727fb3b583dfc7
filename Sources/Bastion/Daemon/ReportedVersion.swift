import FoundationEssentials
import Operations

/// The version a daemon says it has. In a sandbox it can be told to say another one, so that runbooks which upgrade can be shown
/// without a second binary; what it does is the same.
enum ReportedVersion {
    static let variable = "PGBASTION_SANDBOX_VERSION"

    static let value: String = {
        guard let text = ProcessInfo.processInfo.environment[variable], SemanticVersion(text) != nil else {
            return BuildInformation.version
        }
        return text
    }()
}
