import ClusterModel
import ConfigFiles
import FoundationEssentials
import Operations
import Runbooks

/// Runbook files of this machine.
package enum RunbookFiles {
    /// Where runbooks are looked for, beside `--dir`.
    package static let directories = [
        "/etc/pgbastion/runbooks.d", "/usr/share/pgbastion/runbooks", "/usr/local/share/pgbastion/runbooks", "runbooks",
    ]

    package static var sources: RunbookSources {
        RunbookSources(
            directories: directories, list: { list($0) }, read: { path throws(BastionError) in try read(path) }, parse: { parse($0) })
    }

    package static func parse(_ bytes: [UInt8]) -> YAMLReading {
        YAMLDocument.read(bytes, limits: YAMLLimits(bytes: RunbookSources.largestFile, scalarBytes: RunbookSources.largestScalar))
    }

    private static func list(_ directory: String) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: directory) } catch { return [] }
    }

    private static func read(_ path: String) throws(BastionError) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else { throw BastionError(.notFound, "there is no file \"\(path)\"") }
        do { return [UInt8](try Data(contentsOf: URL(filePath: path))) } catch {
            throw BastionError(.io, "cannot read \"\(path)\"", detail: "\(error)")
        }
    }
}
