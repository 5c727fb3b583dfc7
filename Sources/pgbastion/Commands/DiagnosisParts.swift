import Bastion
import ClusterModel
import CommandLineInterface
import Operations

/// What the client does itself for `doctor` and `upgrade-check`.
extension ClientPart {
    /// `--pre` asks no daemon; without a daemon the part about this machine still works (section 10).
    static let doctor = ClientPart(
        operation: "doctor",
        answer: { input, path, error throws(BastionError) in
            let wanted = try JSONText.decode(DoctorOperation.Input.self, from: input.bytes)
            let isAboutOthers = wanted.all == true || wanted.node != nil
            guard let error else {
                return wanted.pre == true && !isAboutOthers ? try await DiagnosisEntry.doctor(wanted, path: path, reason: nil) : nil
            }
            // A monitoring plugin has four answers: what is wrong with the question is UNKNOWN.
            guard wanted.nagios == true || (error.code == .unavailable && !isAboutOthers) else { return nil }
            return try await DiagnosisEntry.doctor(wanted, path: path, reason: error.message)
        },
        exitStatus: { input, status in
            guard input["nagios"] == .bool(true) else { return status }
            return (0...3).contains(status) ? status : 3
        })

    /// The new binary is run here, by the person who names it; the daemon is told what it said.
    static let upgradeCheck = ClientPart(
        operation: "upgrade-check",
        prepare: { input, path throws(BastionError) in
            guard let binary = input["binary"]?.string, case .object(let members) = input else { return input }
            let report = try await DiagnosisEntry.report(binary: binary, configuration: path)
            return .object(members + [.init(name: "binary_report", value: .string(report))])
        })
}
