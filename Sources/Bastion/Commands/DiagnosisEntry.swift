import ClusterModel
import ConfigFiles
import FoundationEssentials
import Operations
import PostgresControl

/// What `doctor` and `upgrade-check` do on this machine, without a daemon.
package enum DiagnosisEntry {
    /// The part of `doctor` that needs no daemon, as the JSON of its output.
    package static func doctor(_ input: DoctorOperation.Input, path: String, reason: String?) async throws(BastionError) -> [UInt8] {
        var diagnosis = await MachineInspection(path: path).diagnosis()
        // Peer authentication lets only the service user in: for anybody else the answer would mislead.
        if diagnosis.machine.user == diagnosis.machine.serviceUser, let settings = MachineInspection.postgresSettings(path) {
            diagnosis.postgres?.connection = await ConnectionTest.run(
                MachineInspection.connection(settings), within: settings.healthTimeout)
            diagnosis.postgres?.target = settings.connection.description
        }
        return try JSONText.encode(try DoctorOperation.offline(input, diagnosis, reason: reason))
    }

    /// What the binary of another version says when it is run here.
    package static func report(binary: String, configuration: String) async throws(BastionError) -> String {
        guard binary.hasPrefix("/"), let text = await OutsideProgram.output(binary, ["version", "-o", "json"]) else {
            throw BastionError(
                .invalidRequest, "\"\(binary)\" could not be run", detail: "It was asked for `version -o json`.",
                hint: "give the absolute path of the new version's binary")
        }
        guard let data = try OperationEnvelope(parsing: Array(text.utf8)).data else {
            throw BastionError(.invalidData, "\"\(binary)\" does not say what it is")
        }
        let version = try JSONText.decode(VersionOutput.self, from: data.bytes)
        let validated = await OutsideProgram.text(binary, ["config", "validate", configuration, "-o", "json"]) ?? ""
        let errors =
            try validated.isEmpty
            ? [] : OperationEnvelope(parsing: Array(validated.utf8)).data?["errors"]?.elements?.compactMap(\.string) ?? []
        let report = BinaryReport(
            path: binary, version: version.version, configVersion: version.configVersion, stateSchema: version.stateSchema,
            protocol: version.protocol, configErrors: errors)
        return String(decoding: try JSONText.encode(report), as: UTF8.self)
    }
}
