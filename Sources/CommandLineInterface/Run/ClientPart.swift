import ClusterModel
import Operations

/// What the client itself does for one operation: it adds facts of this machine to the input, and it answers when no daemon can.
package struct ClientPart: Sendable {
    package var operation: String
    /// The input to send; from the input that was given and the path of the configuration file.
    package var prepare: @Sendable (JSONValue, String) async throws(BastionError) -> JSONValue
    /// The operation's output as JSON without a daemon; nil when only a daemon can answer. The error is why none did;
    /// nil: none was asked yet.
    package var answer: @Sendable (JSONValue, String, BastionError?) async throws(BastionError) -> [UInt8]?
    /// The status the process ends with, from that of the result.
    package var exitStatus: @Sendable (JSONValue, Int32) -> Int32

    package init(
        operation: String,
        prepare: @escaping @Sendable (JSONValue, String) async throws(BastionError) -> JSONValue = { input, _ throws(BastionError) in input
        },
        answer: @escaping @Sendable (JSONValue, String, BastionError?) async throws(BastionError) -> [UInt8]? = {
            _, _, _ throws(BastionError) in nil
        },
        exitStatus: @escaping @Sendable (JSONValue, Int32) -> Int32 = { _, status in status }
    ) {
        self.operation = operation
        self.prepare = prepare
        self.answer = answer
        self.exitStatus = exitStatus
    }
}
