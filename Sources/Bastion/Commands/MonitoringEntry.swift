import ClusterModel
import Glibc
import PostgresControl
import Telemetry

/// `pgbastion alerts`: the rules and the dashboard that this version ships.
package enum MonitoringEntry {
    /// Writes the files into a directory, which is made when it is missing; files with these names are replaced.
    ///
    /// - Returns: Their paths.
    package static func export(to directory: String) throws(BastionError) -> [String] {
        try makeDirectory(directory)
        var paths: [String] = []
        for file in MonitoringFiles.all {
            let path = "\(directory)/\(file.name)"
            try TextFiles.write(file.text, to: path, mode: 0o644)
            paths.append(path)
        }
        return paths
    }

    package struct TestOutcome: Sendable {
        package var passed: Bool
        /// What promtool printed.
        package var text: String
        /// Every alert with the number of its examples.
        package var cases: [(alert: String, examples: Int)]
    }

    /// Runs the examples of every rule through promtool.
    ///
    /// - Throws: `not_found` without promtool.
    package static func test() async throws(BastionError) -> TestOutcome {
        let places: [String] = ["/usr/bin/promtool", "/usr/local/bin/promtool"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            throw BastionError(
                .notFound, "promtool was not found", detail: "The rules are tested by Prometheus's own program.",
                hint: "install it: apt-get install prometheus")
        }
        let directory = "/tmp/pgbastion-alerts-\(getpid())"
        _ = try export(to: directory)
        defer { TextFiles.removeTree(directory) }
        let arguments = ["test", "rules", "\(directory)/\(MonitoringFiles.testsName)"]
        let cases = AlertRules.groups.flatMap(\.rules).map { (alert: $0.name, examples: $0.examples.count) }
        if let text = await OutsideProgram.output(program, arguments, within: .seconds(120)) {
            return TestOutcome(passed: true, text: text, cases: cases)
        }
        let text = await OutsideProgram.text(program, arguments, within: .seconds(120)) ?? "promtool did not end"
        return TestOutcome(passed: false, text: text, cases: cases)
    }

    /// A relative path is one below the present directory.
    private static func makeDirectory(_ directory: String) throws(BastionError) {
        guard directory.hasPrefix("/") else {
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
                throw BastionError(.io, "could not make the directory \"\(directory)\"", detail: String(cString: strerror(errno)))
            }
            return
        }
        try makeDirectories(directory)
    }
}
