import ClusterModel
import Guard

/// Runs the guard of the command line.
package enum GuardEntry {
    package static func run(_ arguments: [String]) throws(BastionError) -> Never {
        GuardProcess.run(arguments: try GuardArguments(commandLine: arguments))
    }
}
