import ClusterModel
import ConfigFiles
import Glibc
import PostgresControl

/// What the data directory of a PostgreSQL says that need not run.
enum PostgresIdentity {
    /// The first eight bytes of `global/pg_control`, in every version; nil without a data directory.
    static func systemIdentifier(_ dataDirectory: String) -> UInt64? {
        let descriptor = open(dataDirectory + "/global/pg_control", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var number: UInt64 = 0
        let count = withUnsafeMutableBytes(of: &number) { read(descriptor, $0.baseAddress, 8) }
        return count == 8 ? number : nil
    }

    static func controlFile(_ configuration: NodeConfiguration) async -> ControlFile? {
        guard let settings = configuration.postgresql, let programs = settings.binDirectory, let data = settings.dataDirectory else {
            return nil
        }
        return await OutsideProgram.controlFile(programs: programs, dataDirectory: data)
    }
}
